/** Reaching what another thread serves. */
import type { Endpoint } from '@flatshare/core/internal'
import { START_TIMEOUT } from './apartment-options.js'
import { Door } from './handshake.js'
import { checkedLinkKind, type LinkKind } from './link-kind.js'
import { proxyApart } from './proxy.js'
import type { RemoteModule } from './remote.js'
import { learn } from './remote-description.js'
import { ROOT } from './stub.js'

export interface ConnectOptions {
  /** As for `Apartment.open`: by shared memory wherever there is some (`'shared'`, the default), or by ports alone. */
  link?: LinkKind
  /** Milliseconds until a thread that doesn't serve is given up: 10,000 by default. */
  startTimeout?: number
  /** Gives up connecting. */
  signal?: AbortSignal
}

/**
 * Connects to what the other side serves: that of a worker, of the thread that started this one
 * (`parentPort`, a worker's `self`), or of whoever has the other end of a message port. It waits for the
 * other side to begin; the endpoint's own messages are left alone.
 *
 * @throws TypeError for anything but an endpoint, and for a `link` that is none.
 * @throws FlatshareError when the other side has ended or doesn't begin to serve in time.
 * @throws the signal's reason when that fires first.
 * @example
 * const images = await connect<Images>(worker)
 * await images.resize(photo)
 */
export async function connect<Api = any>(endpoint: Endpoint, options: ConnectOptions = {}): Promise<RemoteModule<Api>> {
  if (typeof endpoint?.postMessage !== 'function') {
    throw new TypeError('connect takes a worker, the parent of a worker, or a message port.')
  }
  const { startTimeout = START_TIMEOUT, signal } = options
  const over = checkedLinkKind(options.link)
  const settings = { link: 'visit', over, startTimeout, signal, what: 'The other thread' } as const
  const { peer, serves } = await Door.of(endpoint).connect(settings)
  return proxyApart(peer.threadId, ROOT, learn(peer.threadId, serves), peer) as RemoteModule<Api>
}
