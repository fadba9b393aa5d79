import { contextSuite } from './suite.js'

await contextSuite('standard-define')
