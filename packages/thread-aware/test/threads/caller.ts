// A thread that says who it is, and ends as it is told to.
import { parentPort } from 'node:worker_threads'
import { currentThread, unmarshal } from '@flatshare/core'

parentPort!.on('message', (packet: unknown) => {
  if (packet === 'exit') process.exit(0)
  if (packet === 'throw') throw new Error('ended on purpose')
  if (packet === 'return') return parentPort!.close()
  unmarshal(packet)
  parentPort!.postMessage(currentThread.id)
})
