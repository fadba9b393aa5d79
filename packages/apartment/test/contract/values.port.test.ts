import { describeValues } from './suite.js'

describeValues('port')
