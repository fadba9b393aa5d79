import { describeCalls } from '../../../apartment/dist-test/contract/suite.js'
import { processes } from './opener.js'

describeCalls(processes)
