import { describeLoad } from '../../../apartment/dist-test/contract/suite.js'
import { processes } from './opener.js'

describeLoad(processes)
