/** The program of a child that runs a module: it imports that module and serves its exports. */
import { fileURLToPath } from 'node:url'
import { serve } from '@flatshare/apartment'
import { nameThread } from '@flatshare/core/internal'
import { startGuard } from './guard.js'
import { parentLink } from './parent.js'
import type { HostArguments } from './start-child.js'

// A terminal sends both to all of its processes. This one's parent hears them too, and decides: when it ends, this does.
for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => {})

const { module, name, guarded } = JSON.parse(process.argv.splice(2, 1)[0]!) as HostArguments
// The module finds itself where a program does.
if (module.startsWith('file:')) process.argv[1] = fileURLToPath(module)
if (name !== undefined) nameThread(name)

// Before the module runs, as that may take long; but if nothing else keeps this process alive until then, it ends.
const parent = parentLink()
if (!parent) throw new Error('This program is started by Apartment.open, with a pipe to its parent.')
if (guarded) startGuard()

try {
  const exports = (await import(module)) as Record<string, unknown>
  parent.stay()
  serve(exports)
  parent.greet()
} catch (error) {
  process.exitCode = 1
  parent.fail(error)
}
