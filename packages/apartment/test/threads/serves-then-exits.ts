/** Ends in the middle of the hello. */
import { parentPort } from 'node:worker_threads'

parentPort!.postMessage({ flatshare: 'serving' })
parentPort!.once('message', () => {
  parentPort!.once('message', () => process.exit(0))
})
