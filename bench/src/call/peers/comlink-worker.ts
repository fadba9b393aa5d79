import { parentPort } from 'node:worker_threads'
import { expose, type Remote, transfer } from 'comlink'
// @ts-expect-error it has no types of its own
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs'
import { add, Counter, echo } from '../work.js'

type Listener = (x: number) => number

let heard: Remote<Listener>

const api = {
  add,
  echo,
  Counter,
  move: (bytes: Uint8Array<ArrayBuffer>) => transfer(bytes, [bytes.buffer]),
  listen: (listener: Listener) => void (heard = listener as unknown as Remote<Listener>),
  callBack: (x: number) => heard(x),
}

export type Api = typeof api

expose(api, nodeEndpoint(parentPort))
