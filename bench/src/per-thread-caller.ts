// A thread on whose behalf calls are served: it says who it is, and waits to be ended.
import { parentPort, workerData } from 'node:worker_threads'
import { currentThread, unmarshal } from '@flatshare/core'

unmarshal(workerData)
parentPort!.on('message', () => {})
parentPort!.postMessage(currentThread.id)
