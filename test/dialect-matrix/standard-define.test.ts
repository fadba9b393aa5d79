import { dialectSuite } from './suite.js'

await dialectSuite('standard-define')
