/** A program that doesn't get its parent's environment. */
import { serve } from '@flatshare/apartment'
import { serveParent } from '@flatshare/process'

const [where] = process.argv.slice(2)
serveParent(where === 'ipc' ? {} : { descriptor: Number(where) })
serve({ late: () => 'but there' })
