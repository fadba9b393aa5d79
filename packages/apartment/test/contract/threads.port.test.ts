import { describeThreads } from './suite.js'

describeThreads('port')
