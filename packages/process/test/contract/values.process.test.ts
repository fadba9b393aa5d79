import { describeValues } from '../../../apartment/dist-test/contract/suite.js'
import { processes } from './opener.js'

describeValues(processes)
