import { adviseSuite } from './suite.js'

await adviseSuite('standard-assign', 'shared')
