import { fork } from 'node:child_process'
import { Apartment } from '@flatshare/apartment'
import { type ChildSource, childProcess } from '@flatshare/process'
import type { Peer } from '../../call/peer.js'

type Module = typeof import('../../call/work.js')

const byModule = (): ChildSource => childProcess(new URL('../../call/work.js', import.meta.url))

const byFork = (): ChildSource =>
  childProcess(() => fork(new URL('./flatshare-child.js', import.meta.url), { serialization: 'advanced' }))

const over = (source: () => ChildSource): Peer['start'] =>
  async function start() {
    const apartment = await Apartment.open<Module>(source())
    const { remote } = apartment
    return {
      add: (a, b) => remote.add(a, b),
      echo: <T>(value: T) => remote.echo(value) as Promise<T>,
      close: () => apartment.close(),
    }
  }

export const flatshare: Peer = { name: 'flatshare', start: over(byModule) }

/** Over the channel that `process.send` has, where a program wants no pipe beside it. */
export const flatshareByIpc: Peer = { name: 'flatshare, forked', role: 'variant', start: over(byFork) }
