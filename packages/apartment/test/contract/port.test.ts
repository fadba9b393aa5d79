import { Apartment } from '@flatshare/apartment'
import { describeLink } from './suite.js'

describeLink('message ports', (module, options) => Apartment.open(module, options))
