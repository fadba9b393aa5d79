/** A program that serves, and has no way to whoever started it. */
import { serve } from '@flatshare/apartment'

serve({ hello: () => 'unheard' })
