import { serve } from '@flatshare/apartment'
import '@flatshare/process'
import * as orphan from './orphan.js'

serve({ ...orphan })
