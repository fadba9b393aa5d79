/** Serves only when it is told to, through shared memory, and hears everything before that itself. */
import { parentPort, workerData } from 'node:worker_threads'
import { serve } from '@flatshare/apartment'

let heard = 0
parentPort!.on('message', () => heard++)
const view = new Int32Array(workerData as SharedArrayBuffer)
const wait = (Atomics as any).waitAsync(view, 0, 0)
const keep = setInterval(() => {}, 1000)
await wait.value
serve({ heard: () => heard })
clearInterval(keep)
