/** Serves, and ends as soon as it has said so. */
import { parentPort, workerData } from 'node:worker_threads'

Atomics.add(new Int32Array(workerData as SharedArrayBuffer), 0, 1)
// After the link stands: its port comes by the parent's.
parentPort!.on('message', (message: { flatshare?: string }) => {
  if (message.flatshare === 'connect') setImmediate(() => setImmediate(() => process.exit(0)))
})
export const nothing = (): void => {}
