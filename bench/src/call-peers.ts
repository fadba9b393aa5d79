// The same call, two numbers in and one out, by Flatshare and its peers, each with a worker of its own.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { connect } from '@flatshare/apartment'
import { wrap } from 'comlink'
// @ts-expect-error it has no types of its own
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs'
import type { Adder } from './call-worker.js'

export type Add = (a: number, b: number) => Promise<number>

async function start(peer: string): Promise<Worker> {
  const worker = new Worker(new URL('./call-worker.js', import.meta.url))
  worker.postMessage(peer)
  while ((await once(worker, 'message'))[0] !== 'ready');
  return worker
}

export interface Peers {
  readonly peers: ReadonlyArray<{ name: string; add: Add }>
  close(): Promise<void>
}

export async function startPeers(): Promise<Peers> {
  const workers = await Promise.all(['flatshare', 'comlink', 'postMessage'].map(start))
  const [flatshare, comlink, bare] = workers as [Worker, Worker, Worker]

  const awaited = new Map<number, (sum: number) => void>()
  let lastId = 0
  bare.on('message', ([id, sum]) => {
    awaited.get(id)!(sum)
    awaited.delete(id)
  })

  const api = await connect<Adder>(flatshare)
  const wrapped = wrap<Adder>(nodeEndpoint(comlink))

  return {
    peers: [
      { name: 'flatshare', add: (a, b) => api.add(a, b) },
      { name: 'comlink', add: (a, b) => wrapped.add(a, b) },
      {
        name: 'bare postMessage',
        add: (a, b) =>
          new Promise((resolve) => {
            awaited.set(++lastId, resolve)
            bare.postMessage([lastId, a, b])
          }),
      },
    ],
    close: async () => void (await Promise.all(workers.map((worker) => worker.terminate()))),
  }
}
