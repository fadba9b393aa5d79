import type { ChildProcess } from 'node:child_process'
import type { Endpoint } from 'comlink'

type Listener = (event: MessageEvent) => void

/** What comlink asks for, over `process.send`. */
export function ipcEndpoint(other: ChildProcess | NodeJS.Process): Endpoint {
  const listeners = new Map<unknown, (data: unknown) => void>()
  return {
    postMessage: (message) => void other.send!(message),
    addEventListener(_type, listener) {
      const receive = (data: unknown) => (listener as Listener)({ data } as MessageEvent)
      listeners.set(listener, receive)
      other.on('message', receive)
    },
    removeEventListener(_type, listener) {
      const receive = listeners.get(listener)
      if (receive) other.off('message', receive)
      listeners.delete(listener)
    },
  }
}
