/** A thread that uses Flatshare's core, and the rest of it only when it is told. */
import { parentPort, workerData } from 'node:worker_threads'
import { currentThread, unmarshal } from '@flatshare/core'

unmarshal(workerData)
parentPort!.postMessage({ id: currentThread.id })
parentPort!.on('message', async (message) => {
  if (message !== 'import') return
  await import('@flatshare/apartment')
  parentPort!.postMessage('imported')
})
