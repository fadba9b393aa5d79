import { contextSuite } from './suite.js'

await contextSuite('legacy-define')
