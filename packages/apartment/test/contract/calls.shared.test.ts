import { describeCalls } from './suite.js'

describeCalls('shared')
