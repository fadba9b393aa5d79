import { describeCalls } from './suite.js'

describeCalls('port')
