import { describeLoad } from './suite.js'

describeLoad('port')
