import { parentPort } from 'node:worker_threads'
import { createBirpc } from 'birpc'
import { add, echo } from '../work.js'
import type { CallersFunctions } from './birpc.js'

const port = parentPort!
const functions = { add, echo, callBack: (x: number): Promise<number> => rpc.heard(x) }

export type Functions = typeof functions

const rpc = createBirpc<CallersFunctions, Functions>(functions, {
  post: (data) => port.postMessage(data),
  on: (receive) => port.on('message', receive),
})
