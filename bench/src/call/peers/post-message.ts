import { Worker } from 'node:worker_threads'
import type { Peer } from '../peer.js'

/** What a message `[id, what, …]` asks the worker for. The worker's are `[id, what, result]`. */
export type What = 'add' | 'echo' | 'move' | 'call back' | 'heard' | 'create' | 'forget'

/** What a program would do by hand: numbered messages, and a map of those that wait for an answer. */
export const postMessage: Peer = {
  name: 'bare postMessage',
  async start() {
    const worker = new Worker(new URL('./post-message-worker.js', import.meta.url))
    const awaited = new Map<number, (result: any) => void>()
    let lastId = 0
    let heard: (x: number) => number

    const tell = (id: number, what: What, x: unknown, y?: unknown, transfer?: ArrayBuffer[]) =>
      worker.postMessage([id, what, x, y], transfer)
    const ask = <T>(what: What, x: unknown, y?: unknown, transfer?: ArrayBuffer[]) =>
      new Promise<T>((resolve) => {
        awaited.set(++lastId, resolve)
        tell(lastId, what, x, y, transfer)
      })
    worker.on('message', ([id, what, result]: [number, What, any]) => {
      if (what === 'call back') return tell(id, 'heard', heard(result))
      awaited.get(id)!(result)
      awaited.delete(id)
    })

    return {
      add: (a, b) => ask<number>('add', a, b),
      echo: <T>(value: T) => ask<T>('echo', value),
      move: (bytes) => ask<Uint8Array<ArrayBuffer>>('move', bytes, undefined, [bytes.buffer]),
      listen: async (listener) => void (heard = listener),
      callBack: (x) => ask<number>('call back', x),
      create: async () => tell(await ask<number>('create', 1), 'forget', undefined),
      close: async () => void (await worker.terminate()),
    }
  },
}
