import { adviseSuite } from './suite.js'

await adviseSuite('standard-define', 'port')
