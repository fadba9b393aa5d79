import { Apartment, blocking, release, transfer } from '@flatshare/apartment'
import type { Peer, StartedPeer } from '../peer.js'

type Module = typeof import('./flatshare-worker.js')

async function start(link: 'shared' | 'port'): Promise<StartedPeer> {
  const apartment = await Apartment.open<Module>(new URL('./flatshare-worker.js', import.meta.url), { link })
  const { remote } = apartment
  const blocked = blocking(remote)
  return {
    add: (a, b) => remote.add(a, b),
    addBlocking: (a, b) => blocked.add(a, b),
    echo: <T>(value: T) => remote.echo(value) as Promise<T>,
    move: (bytes) => remote.move(transfer(bytes, [bytes.buffer])),
    listen: (listener) => remote.listen(listener),
    callBack: (x) => remote.callBack(x),
    create: async () => release(await apartment.create('RemoteCounter', 1)),
    close: () => apartment.close(),
  }
}

export const flatshare: Peer = { name: 'flatshare', start: () => start('shared') }

export const flatshareByPort: Peer = { name: "flatshare, link: 'port'", role: 'variant', start: () => start('port') }
