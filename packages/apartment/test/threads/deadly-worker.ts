import { serve } from '@flatshare/apartment'
import * as deadly from './deadly.js'

serve({ ...deadly })
