/** A process that shares no memory with the one that started it: it does its part of a progress, and says how far it came. */
import { MessageChannel } from 'node:worker_threads'
import { mirroredProgress } from '@flatshare/progress'

const { port1, port2 } = new MessageChannel()
process.on('message', (message) => port1.postMessage(message))
port1.on('message', (message) => process.send!(message))

const progress = await mirroredProgress(port2, { interval: 5 })
const [what] = process.argv.slice(2)
const { label, min, max, total, count } = progress
process.send!({ start: { label, min, max, total, count } })

if (what === 'work') {
  const parts = [progress.child({ items: 300 }), progress.child({ items: 200, total: 20 })]
  for (const part of parts) while (part.value < part.max) part.advance()
} else if (what === 'cancel') {
  progress.advance(7)
  progress.cancel(Object.assign(new RangeError('disk full'), { disk: 'C' }))
} else {
  const { signal } = progress
  while (progress.advance()) await new Promise((resolve) => setImmediate(resolve))
  process.send!({ stopped: { name: signal.reason.name, message: signal.reason.message } })
}
process.send!({ through: progress.count })
