/** The module of a thread that was opened by URL: it imports that module and serves its exports. */
import { nameThread, parentEndpoint, startingArguments } from '@flatshare/core/internal'
import { Door, serve } from './handshake.js'
import './introduce.js'
import './what-crosses.js'

const [module, name] = startingArguments()
if (name) nameThread(name)

try {
  serve((await import(/* @vite-ignore */ module!)) as Record<string, unknown>)
} catch (error) {
  Door.of(parentEndpoint()!).fail(error)
}
