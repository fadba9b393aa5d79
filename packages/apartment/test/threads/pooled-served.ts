/** The module of the pools, for a worker that serves by itself. */
import { serve } from '@flatshare/apartment'
import * as pooled from './pooled.js'

serve(pooled)
