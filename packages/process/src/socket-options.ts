/** Where two processes meet, and what each asks of the other. */
import { isIP } from 'node:net'
import { checkedTimeout } from '@flatshare/core/internal'
import { checkedHeartbeat, type HeartbeatOptions } from './heartbeat.js'
import { checkedSecret, type Secret } from './secret.js'

/** A Unix socket, on Windows a named pipe. */
export interface UnixPlace {
  /** The path of the socket. */
  path: string
  port?: undefined
  host?: undefined
}

/** A TCP port. */
export interface TcpPlace {
  port: number
  /** A name or address: `127.0.0.1` by default, which only this machine reaches. */
  host?: string
  path?: undefined
}

/** Where a process listens. */
export type SocketPlace = UnixPlace | TcpPlace

export interface SocketLinkOptions {
  /**
   * What both sides know, at least 16 bytes. It is never sent: each side shows the other that it knows it, and goes no
   * further with one that doesn't.
   */
  secret?: Secret
  /** The longest frame that comes or goes, in bytes: 16 MiB by default. */
  maxFrame?: number
  /**
   * How a process is found that neither hangs up nor answers: by signs of its event loop, which gives none while it
   * computes or blocks without a pause. Not looked for by default; that a machine is out of reach is found out by TCP.
   */
  heartbeat?: HeartbeatOptions | false
  /** Milliseconds until the other side must have introduced itself: 5,000 by default. */
  handshakeTimeout?: number
}

export interface SocketSettings {
  readonly place: SocketPlace
  readonly secret: Secret | undefined
  readonly maxFrame: number
  readonly heartbeat: Required<HeartbeatOptions> | undefined
  readonly handshakeTimeout: number
  /** As errors call it. */
  readonly what: string
}

const LOOPBACK = '127.0.0.1'
/** Of a Unix socket, by the system's own structure; some runtimes cut off the rest without a word. */
const LONGEST_PATH = process.platform === 'win32' ? Infinity : process.platform === 'linux' ? 107 : 103
const MAX_FRAME = 1 << 24
const HANDSHAKE_TIMEOUT = 5_000

/** @throws TypeError and RangeError. */
export function checkedSocket(options: SocketPlace & SocketLinkOptions, caller: string): SocketSettings {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`${caller} takes { path } or { port, host }, and what both sides know: { secret }.`)
  }
  const { path, port, host, maxFrame = MAX_FRAME, heartbeat, handshakeTimeout = HANDSHAKE_TIMEOUT } = options
  if ((path === undefined) === (port === undefined)) {
    throw new TypeError(`${caller} takes either the path of a Unix socket or a port.`)
  }
  if (path !== undefined && (typeof path !== 'string' || path === '')) throw new TypeError('path is a text.')
  if (path !== undefined && Buffer.byteLength(path) > LONGEST_PATH) {
    throw new RangeError(
      `path has ${Buffer.byteLength(path)} bytes, and the system takes ${LONGEST_PATH} for a socket: more would be cut off.`,
    )
  }
  if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port < 65_536)) {
    throw new RangeError(`port is a whole number from 0 to 65,535; ${String(port)} was given.`)
  }
  if (host !== undefined && (path !== undefined || typeof host !== 'string' || host === '')) {
    throw new TypeError('host is a name or an address, beside a port.')
  }
  if (!Number.isInteger(maxFrame) || maxFrame < 1024 || maxFrame > 0x7fffffff) {
    throw new RangeError(`maxFrame is a number of bytes from 1,024 to 2,147,483,647; ${String(maxFrame)} was given.`)
  }
  return {
    place: path === undefined ? { port: port!, host: host ?? LOOPBACK } : { path },
    secret: checkedSecret(options.secret),
    maxFrame,
    heartbeat: heartbeat ? checkedHeartbeat(heartbeat) : undefined,
    handshakeTimeout: checkedTimeout(handshakeTimeout, 'handshakeTimeout'),
    what: `socket ${path ?? `${host ?? LOOPBACK}:${port}`}`,
  }
}

/** Whether only this machine reaches that address. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost' || host === '::1') return true
  return isIP(host) === 4 && host.startsWith('127.')
}
