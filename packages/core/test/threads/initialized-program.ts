/** A program that has initialised, and must end by itself: whether it releases is its first argument. */
import { Worker } from 'node:worker_threads'
import { initialize, marshal, onThreadExit } from '@flatshare/core'
import { onLastRelease } from '@flatshare/core/internal'
import type { Order } from './initializing.js'

const flatshare = initialize({ notifications: 'service-thread' })
onLastRelease(() => console.log('hook'))
process.on('exit', () => console.log('ended'))

const [workerData, transferList] = marshal(undefined)
const worker = new Worker(new URL('./initializing.js', import.meta.url), { workerData, transferList })
const orders: Order[] = [{ do: 'initialize' }, { do: 'hook' }, { do: 'end', how: 'return' }]
worker.on('message', () => {
  const order = orders.shift()
  if (order) worker.postMessage(order)
})
// The worker's own share ends when its end is known, which Node may tell of earlier; until then nothing else keeps this alive.
const alive = setInterval(() => {}, 1000)
onThreadExit(() => {
  clearInterval(alive)
  if (process.argv[2] === 'releases') void flatshare.release()
})
