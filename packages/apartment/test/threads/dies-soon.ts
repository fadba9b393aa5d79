/** Serves, and ends as soon as it has said so. */
import { workerData } from 'node:worker_threads'

Atomics.add(new Int32Array(workerData as SharedArrayBuffer), 0, 1)
// After the link stands: what this module exports is served as soon as it has run.
setImmediate(() => setImmediate(() => setImmediate(() => process.exit(0))))
export const nothing = (): void => {}
