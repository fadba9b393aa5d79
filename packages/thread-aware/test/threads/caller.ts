// A thread that says who it is, and ends when it is told to.
import { parentPort } from 'node:worker_threads'
import { currentThread, unmarshal } from '@flatshare/core'

parentPort!.on('message', (packet: unknown) => {
  if (packet === 'end') process.exit(0)
  unmarshal(packet)
  parentPort!.postMessage(currentThread.id)
})
