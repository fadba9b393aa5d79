import { type MessagePort, workerData } from 'node:worker_threads'
import { add } from '../work.js'

const { answered, port } = workerData as { answered: Int32Array; port: MessagePort }

port.on('message', ([a, b]) => {
  port.postMessage(add(a, b))
  Atomics.store(answered, 0, 1)
  Atomics.notify(answered, 0)
})
