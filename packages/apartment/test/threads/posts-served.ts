/** Serves what counts messages, without having been opened as an apartment. */
import { serve } from '@flatshare/apartment'
import * as posts from './posts.js'

serve({ ...posts })
