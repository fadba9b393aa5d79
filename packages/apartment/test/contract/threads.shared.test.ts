import { describeThreads } from './suite.js'

describeThreads('shared')
