/** Serving processes that come to a socket. */
import { chmodSync, lstatSync, unlinkSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'
import { type Peer, serveOver } from '@flatshare/apartment/internal'
import { FlatshareError } from '@flatshare/core'
import { checkedTimeout } from '@flatshare/core/internal'
import { ControlChannel } from './control-channel.js'
import { frameLink } from './frame-link.js'
import { type Rate, RateLimit } from './rate-limit.js'
import { admit } from './secret.js'
import {
  checkedSocket,
  isLoopback,
  type SocketLinkOptions,
  type SocketPlace,
  type SocketSettings,
} from './socket-options.js'
import { StreamChannel } from './stream-channel.js'

/** How much those who connect may take up. */
export interface ListenLimits {
  /** How many are connected at once: 64 by default. One more is refused. */
  connections?: number
  /** How many are connected and haven't introduced themselves yet: 16 by default. One more is hung up on. */
  pending?: number
  /** How deep what is sent may be nested: 100 by default. Deeper ends the link. */
  depth?: number
  /** How much is read of each in a second, before it has to wait: unlimited by default. */
  rate?: Rate
}

export type ListenOptions = SocketPlace & ListenSettings

export interface ListenSettings extends SocketLinkOptions {
  /**
   * Speaks TLS, with what Node's `tls.createServer` takes (`cert`, `key`, `ca`, `requestCert`, …). False says that you know
   * that what passes can be read: needed for a `host` that others than this machine reach.
   */
  tls?: TlsOptions | false
  limits?: ListenLimits
  /** Whether listening keeps the process alive: true by default. */
  keepAlive?: boolean
  /**
   * Hears of those who were refused, or talked nonsense before they were admitted. `from` is the address and port of who
   * came to a TCP port, as `192.0.2.7:50123`; of a Unix socket it can only say which.
   */
  onRefused?: (reason: Error, from: string) => void
}

const CONNECTIONS = 64
const PENDING = 16
const DEPTH = 100

/**
 * What serves at a socket, until it is closed. `await using` closes it at the end of its block; at the top of a module, as
 * soon as that has run.
 */
export interface Listener extends AsyncDisposable {
  /** Where: the path, or the address and port that the system gave. */
  readonly place: { readonly path: string } | { readonly host: string; readonly port: number }
  /** How many are connected, and admitted. */
  readonly connections: number
  /** Listens no more, and lets go of those who are connected: what they await rejects with `DisconnectedError`. */
  close(): Promise<void>
}

/**
 * Serves, to every process that connects there and knows the secret, what this thread serves by `serve`.
 *
 * A Unix socket is made for this user alone (mode 0600); put it into a folder that only those may enter who may connect.
 * One that a process left behind which was killed is replaced. At a TCP port there is no such protection: it takes a
 * secret, or TLS with certificates of clients; and where others than this machine reach it, TLS.
 *
 * @throws TypeError and RangeError for options that are none, or that would let anybody in.
 * @throws FlatshareError when it can't listen there, with the system's error as its `cause`.
 * @example
 * serve({ Mailbox })
 * const listener = await listen({ path: '/run/mail/socket', secret })
 * process.once('SIGTERM', () => listener.close())
 */
export async function listen(options: ListenOptions): Promise<Listener> {
  const settings = checkedSocket(options, 'listen')
  const limits = checkedLimits(options)
  refuseOpenDoors(options, settings)
  const server = new SocketServer(settings, limits, options)
  await server.listen()
  return server
}

function checkedLimits({
  limits = {},
  onRefused,
}: ListenOptions): Required<Omit<ListenLimits, 'rate'>> & { rate?: Required<Rate> } {
  const { connections = CONNECTIONS, pending = PENDING, depth = DEPTH, rate } = limits
  for (const [name, limit] of Object.entries({ connections, pending, depth })) {
    if (!(limit > 0)) throw new RangeError(`limits.${name} is a number above 0; ${String(limit)} was given.`)
  }
  if (onRefused !== undefined && typeof onRefused !== 'function') throw new TypeError('onRefused is a function.')
  if (rate === undefined) return { connections, pending, depth }
  const { bytes = Number.POSITIVE_INFINITY, frames = Number.POSITIVE_INFINITY } = rate
  if (!(bytes > 0) || !(frames > 0)) throw new RangeError('limits.rate is { bytes, frames } in a second, above 0.')
  return { connections, pending, depth, rate: { bytes, frames } }
}

function refuseOpenDoors({ tls }: ListenOptions, { place, secret }: SocketSettings): void {
  if (tls !== undefined && tls !== false && (typeof tls !== 'object' || tls === null)) {
    throw new TypeError('tls is an object of options as tls.createServer takes them, or false.')
  }
  if (place.path !== undefined) return
  const knowsClients = tls && tls.requestCert === true && tls.rejectUnauthorized !== false
  if (secret === undefined && !knowsClients) {
    throw new TypeError(
      'Whoever reaches a TCP port could use what is served there: give a secret, or tls with requestCert and ca.',
    )
  }
  if (tls === undefined && !isLoopback(place.host!)) {
    throw new TypeError(
      `Others reach ${place.host}, and could read and change what passes: give tls, or tls: false where you know that they can't.`,
    )
  }
}

class SocketServer implements Listener {
  readonly #server: Server
  readonly #peers = new Set<Peer>()
  /** All that have come, and those of them that were admitted; with TLS they are not the same objects. */
  readonly #sockets = new Set<Socket>()
  readonly #admitted = new Set<Socket>()
  /** Where they are, at a TCP port. */
  readonly #from = new WeakMap<Socket, string>()
  #closed: Promise<void> | undefined
  place!: Listener['place']

  constructor(
    readonly settings: SocketSettings,
    readonly limits: ReturnType<typeof checkedLimits>,
    readonly options: ListenOptions,
  ) {
    const { tls, keepAlive = true } = options
    if (tls) {
      const { handshakeTimeout } = settings
      const server = createTlsServer({ handshakeTimeout: checkedTimeout(handshakeTimeout, 'handshakeTimeout'), ...tls })
      server.on('secureConnection', (socket) => void this.#admit(socket))
      server.on('tlsClientError', (error, socket) => this.#refused(error, socket))
      this.#server = server
    } else {
      this.#server = createServer((socket) => void this.#admit(socket))
    }
    // Counted from the first byte on: TLS is spoken before anybody is admitted.
    this.#server.on('connection', (socket: Socket) => this.#came(socket))
    if (!keepAlive) this.#server.unref()
  }

  get connections(): number {
    return this.#peers.size
  }

  async listen(): Promise<void> {
    const { place, what } = this.settings
    try {
      await this.#tryToListen().catch(async (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EADDRINUSE' || place.path === undefined || !(await isLeftBehind(place.path))) throw error
        unlinkSync(place.path)
        await this.#tryToListen()
      })
    } catch (error) {
      throw new FlatshareError(`Nothing can listen at ${what}: ${(error as Error).message}`, { cause: error })
    }
    // What fails from now on is a connection of somebody's, of which that one hears.
    this.#server.on('error', () => {})
    if (place.path !== undefined) {
      this.place = { path: place.path }
    } else {
      const { address, port } = this.#server.address() as AddressInfo
      this.place = { host: address, port }
    }
  }

  #tryToListen(): Promise<void> {
    const { place } = this.settings
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(place, () => {
        this.#server.off('error', reject)
        resolve()
      })
      // In the turn in which it was made: nobody has been let in by then.
      if (place.path !== undefined && process.platform !== 'win32') {
        try {
          chmodSync(place.path, 0o600)
        } catch {
          // It wasn't made: the error says why.
        }
      }
    })
  }

  #came(socket: Socket): void {
    this.#sockets.add(socket)
    this.#note(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    if (this.#sockets.size - this.#peers.size > this.limits.pending) {
      this.#refused(new FlatshareError('Too many came at once and had not introduced themselves yet.'), socket)
      socket.destroy()
    }
  }

  /** A socket that is gone doesn't say any more who was there. */
  #note(socket: Socket): void {
    const { remoteAddress, remotePort } = socket
    if (remoteAddress !== undefined) this.#from.set(socket, `${remoteAddress}:${remotePort}`)
  }

  #refused(reason: Error, socket: Socket): void {
    this.#note(socket)
    const { what, place } = this.settings
    const from = this.#from.get(socket) ?? (place.path === undefined ? 'an address that is not known' : what)
    this.options.onRefused?.(reason, from)
  }

  async #admit(socket: Socket): Promise<void> {
    this.#note(socket)
    const { secret, handshakeTimeout, maxFrame, heartbeat, what } = this.settings
    const { connections, rate, depth } = this.limits
    // Its errors are those of the one who waits for it.
    socket.on('error', () => {})
    let early: Buffer
    try {
      early = await admit(socket, secret, handshakeTimeout, () => this.#peers.size >= connections)
    } catch (error) {
      this.#refused(error as Error, socket)
      return
    }
    if (this.#closed || this.#peers.size >= connections) {
      socket.destroy()
      return
    }
    socket.setKeepAlive?.(true, 10_000)
    const limit = rate && new RateLimit(rate)
    const below = new StreamChannel(socket, { what, maxFrame, rate: limit, early })
    const channel = new ControlChannel(below, { other: 'The process at the other end', heartbeat })
    const { peer } = serveOver(frameLink(channel, { maxDepth: depth }), { onEnd: () => this.#peers.delete(peer) })
    channel.watch()
    this.#peers.add(peer)
    this.#admitted.add(socket)
    socket.once('close', () => this.#admitted.delete(socket))
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close())
  }

  async #close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const peer of [...this.#peers]) peer.leave()
    // They get what is still to be sent to them; those who were not admitted get nothing.
    await Promise.all([...this.#admitted].map((socket) => new Promise((resolve) => socket.once('close', resolve))))
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** Whether it is a socket of a process that listens there no more. */
function isLeftBehind(path: string): Promise<boolean> {
  try {
    if (!lstatSync(path).isSocket()) return Promise.resolve(false)
  } catch {
    return Promise.resolve(false)
  }
  return new Promise((resolve) => {
    const probe = connect(path)
    probe.once('connect', () => {
      probe.destroy()
      resolve(false)
    })
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'))
  })
}
