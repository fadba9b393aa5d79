import { dialectSuite } from './suite.js'

await dialectSuite('legacy-define')
