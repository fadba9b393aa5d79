/** Attaching to a process that listens at a socket. */
import { connect as connectSocket, isIP, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import type { OpenOptions, OtherSource } from '@flatshare/apartment'
import { openOver, START_TIMEOUT } from '@flatshare/apartment/internal'
import { FlatshareError } from '@flatshare/core'
import { ControlChannel } from './control-channel.js'
import { frameLink } from './frame-link.js'
import { present } from './secret.js'
import { checkedSocket, type SocketLinkOptions, type SocketPlace, type SocketSettings } from './socket-options.js'
import { SocketThread } from './socket-thread.js'
import { StreamChannel } from './stream-channel.js'

export type SocketOptions = SocketPlace &
  SocketLinkOptions & {
    /** Speaks TLS: with what Node's `tls.connect` takes (`ca`, `cert`, `key`, …), or by its defaults where it is true. */
    tls?: ConnectionOptions | boolean
  }

/** What `socket` gives. The connection is made by `Apartment.open`, each time anew. */
export class SocketSource implements OtherSource {
  readonly opens: string
  constructor(
    readonly settings: SocketSettings,
    readonly tls: ConnectionOptions | undefined,
  ) {
    this.opens = settings.what
  }
}

/**
 * A process that listens there (`listen`), for `Apartment.open`. Closing the apartment lets go of that process, which
 * goes on.
 *
 * @throws TypeError and RangeError for options that are none.
 * @example
 * const source = socket({ path: '/run/indexer/socket', secret })
 * await using indexer = await Apartment.open<typeof import('./indexer.js')>(source)
 */
export function socket(options: SocketOptions): SocketSource {
  const settings = checkedSocket(options, 'socket')
  const { tls = false } = options
  if (typeof tls !== 'boolean' && (typeof tls !== 'object' || tls === null)) {
    throw new TypeError('tls is true, or an object of options as tls.connect takes them.')
  }
  return new SocketSource(settings, tls === true ? {} : tls || undefined)
}

/** As `Apartment.open`, of such a source. */
export async function openSocket({ settings, tls }: SocketSource, options: OpenOptions): Promise<SocketThread> {
  for (const option of ['workerData', 'transferList', 'resourceLimits', 'env', 'stdout', 'stderr', 'link'] as const) {
    if (options[option] === undefined) continue
    throw new TypeError(`${option} is for what Apartment.open starts; the process at a socket runs already.`)
  }
  const { name, startTimeout = START_TIMEOUT, signal, keepAlive = true } = options
  const what =
    name === undefined ? `What listens at ${settings.what.slice('socket '.length)}` : `The apartment "${name}"`
  signal?.throwIfAborted()
  const stream = tls ? connectTls(tlsOptions(settings, tls)) : connectSocket(settings.place as never)
  const aborted = () => stream.destroy(signal!.reason as Error)
  signal?.addEventListener('abort', aborted, { once: true })
  let early: Buffer
  try {
    await connected(stream, tls !== undefined, settings.handshakeTimeout)
    early = await present(stream, settings.secret, settings.handshakeTimeout)
  } catch (error) {
    stream.destroy()
    if (signal?.aborted) throw signal.reason
    const { message } = error as Error
    throw new FlatshareError(`${what} could not be reached: ${message}`, { cause: error })
  } finally {
    signal?.removeEventListener('abort', aborted)
  }
  const { maxFrame, heartbeat } = settings
  stream.setKeepAlive?.(true, 10_000)
  const below = new StreamChannel(stream, { what: settings.what, maxFrame, early })
  const channel = new ControlChannel(below, { other: what, heartbeat })
  const link = frameLink(channel)
  const hint = 'does it call serve()?'
  const opened = await openOver(link, { own: false, name, startTimeout, signal, what, hint })
  channel.watch()
  return new SocketThread(opened, keepAlive)
}

function tlsOptions({ place }: SocketSettings, tls: ConnectionOptions): ConnectionOptions {
  const { host } = place
  const servername = host !== undefined && isIP(host) === 0 ? { servername: host } : {}
  return { ...servername, ...tls, ...place } as ConnectionOptions
}

/** Waits until the socket stands, with TLS if it speaks that. */
function connected(stream: Socket, isTls: boolean, timeout: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => stream.destroy(new Error(`no connection within ${timeout} ms`)), timeout)
    stream.once(isTls ? 'secureConnect' : 'connect', () => {
      clearTimeout(timer)
      stream.off('error', reject)
      resolve()
    })
    stream.once('error', (error) => {
      clearTimeout(timer)
      reject(error)
    })
  })
}
