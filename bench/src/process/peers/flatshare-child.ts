import { serve } from '@flatshare/apartment'
import { add, echo } from '../../call/work.js'
import '@flatshare/process'

serve({ add, echo })
