/**
 * The guard of a child: a thread of its own beside the child's main thread, which computes nothing. So it answers at
 * once whatever the main thread does, unless the process is stopped; and it ends the process when the parent is gone,
 * also where the main thread never comes back to its event loop.
 *
 *   guard → parent   a byte when it has begun: until then it is given more time, as a busy machine takes long to start it
 *   parent → guard   a byte at each beat, sent back
 *   end of the pipe  the parent is gone: the main thread sees that by its own pipe and ends; if it hasn't
 *                    a second later, the guard kills the process
 */
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { Worker } from 'node:worker_threads'
import { Heartbeat, type HeartbeatOptions } from './heartbeat.js'

/** The guard's pipe, in the child. */
export const GUARD_DESCRIPTOR = 4

/** Milliseconds that it may take to begin. */
const BEGINNING = 20_000

/** Milliseconds that the main thread has to end by itself. */
const GRACE = 1_000

/** It is plain code for a thread that loads nothing of ours, so that it costs little. */
const code = `
const { Socket } = process.getBuiltinModule('node:net')
const pipe = new Socket({ fd: ${GUARD_DESCRIPTOR} })
pipe.write('.')
pipe.on('data', (beat) => pipe.write(beat))
pipe.on('error', () => {})
pipe.on('close', () => setTimeout(() => process.kill(process.pid, 'SIGKILL'), ${GRACE}))
`

/** Starts the guard of this process, which was started with the guard's pipe. */
export function startGuard(): void {
  const limits = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2, stackSizeMb: 1 }
  const worker = new Worker(code, { eval: true, execArgv: [], env: {}, resourceLimits: limits, name: 'guard' })
  worker.unref()
  // Without it the process is as it would be without a guard: the parent sees that it doesn't answer any more.
  worker.on('error', () => new Socket({ fd: GUARD_DESCRIPTOR }).on('error', () => {}).destroy())
}

/** The parent's side: `onStopped` is called when the process answers no more. Gives how to stop asking. */
export function watchGuard(
  pipe: Duplex,
  settings: Required<HeartbeatOptions>,
  onStopped: (timeout: number) => void,
): () => void {
  const actions = { ask: () => pipe.write('.'), lost: onStopped }
  let begun = false
  let beat = new Heartbeat({ ...settings, timeout: Math.max(settings.timeout, BEGINNING) }, actions)
  pipe.on('data', () => {
    beat.heard()
    if (begun) return
    begun = true
    beat.stop()
    beat = new Heartbeat(settings, actions)
  })
  pipe.on('error', () => {})
  pipe.on('close', () => beat.stop())
  ;(pipe as Partial<import('node:net').Socket>).unref?.()
  return () => beat.stop()
}
