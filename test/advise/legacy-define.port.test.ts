import { adviseSuite } from './suite.js'

await adviseSuite('legacy-define', 'port')
