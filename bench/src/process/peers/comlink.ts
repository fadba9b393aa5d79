import { fork } from 'node:child_process'
import { once } from 'node:events'
import { wrap } from 'comlink'
import type { Peer } from '../../call/peer.js'
import type { Api } from './comlink-child.js'
import { ipcEndpoint } from './ipc-endpoint.js'

/** It has no endpoint for processes. With `serialization: 'json'` it would carry no bytes. */
export const comlink: Peer = {
  name: 'comlink, over process.send',
  async start() {
    const child = fork(new URL('./comlink-child.js', import.meta.url), { serialization: 'advanced' })
    await once(child, 'spawn')
    const api = wrap<Api>(ipcEndpoint(child))
    return {
      add: (a, b) => api.add(a, b),
      echo: <T>(value: T) => api.echo(value) as Promise<T>,
      close: async () => {
        child.kill()
        await once(child, 'exit')
      },
    }
  },
}
