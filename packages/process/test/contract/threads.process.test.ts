import { describeThreads } from '../../../apartment/dist-test/contract/suite.js'
import { processes } from './opener.js'

describeThreads(processes)
