/** A program that serves the one that started it, where it finds that. */
import { serve } from '@flatshare/apartment'
import '@flatshare/process'

serve({ hello: () => 'there' })
