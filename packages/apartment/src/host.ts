/** The module of a thread that was opened by URL: it imports that module and serves its exports. */
import { holdWorker, nameThread, parentEndpoint, startingArguments } from '@flatshare/core/internal'
import { Door, serve } from './handshake.js'
import './introduce.js'
import './what-crosses.js'

const [module, name] = startingArguments()
if (name) nameThread(name)

const parent = parentEndpoint()!
// Before the module runs, as that may take long; but if nothing else keeps this thread alive until then, it ends.
const door = Door.of(parent)
holdWorker(parent, false)

try {
  const exports = (await import(/* @vite-ignore */ module!)) as Record<string, unknown>
  holdWorker(parent, true)
  serve(exports)
  door.greet()
} catch (error) {
  holdWorker(parent, true)
  door.fail(error)
}
