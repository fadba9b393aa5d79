// Adds two numbers, in the three ways that the call benchmarks compare.
import { parentPort } from 'node:worker_threads'
import { serve } from '@flatshare/apartment'
import { expose } from 'comlink'
// @ts-expect-error it has no types of its own
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs'

export interface Adder {
  add(a: number, b: number): number
}

const adder: Adder = { add: (a, b) => a + b }
const parent = parentPort!

parent.once('message', (peer: 'flatshare' | 'comlink' | 'postMessage') => {
  if (peer === 'flatshare') serve({ add: adder.add })
  if (peer === 'comlink') expose(adder, nodeEndpoint(parent))
  if (peer === 'postMessage') parent.on('message', ([id, a, b]) => parent.postMessage([id, adder.add(a, b)]))
  parent.postMessage('ready')
})
