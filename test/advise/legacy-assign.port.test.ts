import { adviseSuite } from './suite.js'

await adviseSuite('legacy-assign', 'port')
