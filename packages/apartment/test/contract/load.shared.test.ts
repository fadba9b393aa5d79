import { describeLoad } from './suite.js'

describeLoad('shared')
