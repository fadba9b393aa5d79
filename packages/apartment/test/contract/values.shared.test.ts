import { describeValues } from './suite.js'

describeValues('shared')
