import { Buffer } from 'node:buffer'
import { fork, type SerializationType } from 'node:child_process'
import { once } from 'node:events'
import type { Peer } from '../../call/peer.js'

/** What a message `[id, what, …]` asks the child for. The child's are `[id, what, result]`. */
export type What = 'add' | 'echo' | 'echo bytes'

/** What a program would do by hand: numbered messages, and a map of those that wait for an answer. */
function over(serialization: SerializationType): Peer['start'] {
  return async function start() {
    const child = fork(new URL('./process-send-child.js', import.meta.url), { serialization })
    await once(child, 'spawn')
    const awaited = new Map<number, (result: any) => void>()
    let lastId = 0

    const ask = <T>(what: What, x: unknown, y?: unknown) =>
      new Promise<T>((resolve) => {
        awaited.set(++lastId, resolve)
        child.send([lastId, what, x, y])
      })
    child.on('message', ([id, what, result]: [number, What, any]) => {
      awaited.get(id)!(what === 'echo bytes' ? bytesOf(result) : result)
      awaited.delete(id)
    })

    return {
      add: (a, b) => ask<number>('add', a, b),
      echo: <T>(value: T) =>
        // JSON has no bytes: they go as text.
        serialization === 'json' && value instanceof Uint8Array
          ? ask<T>('echo bytes', textOf(value))
          : ask<T>('echo', value),
      close: async () => {
        child.kill()
        await once(child, 'exit')
      },
    }
  }
}

/** What the child is sent as text, it takes as bytes, and gives back as text. */
export const textOf = ({ buffer, byteOffset, byteLength }: Uint8Array): string =>
  Buffer.from(buffer, byteOffset, byteLength).toString('base64')

export const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'))

export const processSend: Peer = { name: 'bare process.send', start: over('json') }

export const processSendAdvanced: Peer = { name: 'bare process.send, advanced', start: over('advanced') }
