/**
 * How two processes that meet at a socket find out that both know a secret, without sending it.
 *
 *   client → server   [1, has a secret?, 32 random bytes c]
 *   server → client   [1, has a secret?, 32 random bytes s]
 *   client → server   HMAC-SHA-256(secret, "client" c s binding)    where both have one
 *   server → client   [1, HMAC-SHA-256(secret, "server" c s binding)]
 *
 * or at any place, from the server, [0, why], and the end. The server shows that it knows the secret only to a client that has
 * shown it first, so that whoever may connect learns nothing to try secrets on. The words keep one side's proof from being
 * given back as the other's; the random bytes keep it from being used again. Under TLS the binding is key material of that very
 * connection: so nobody stands between the two, even where certificates aren't checked. Without TLS whoever can change what
 * passes can wait for the proofs and go on as one of the two.
 *
 * Invariants: until it is over no frame is longer than `LONGEST`, none is awaited for longer than the timeout, and what was
 * read beyond it is handed on.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { FlatshareError } from '@flatshare/core'
import { timeoutError } from '@flatshare/core/internal'
import { framed, HEADER_BYTES } from './framing.js'

/** What both sides know. */
export type Secret = string | Uint8Array

const LONGEST = 64
const VERSION = 1
const NONCE = 32
const REFUSED = 0
const WELCOME = 1
/** So many bytes keep it from being guessed. */
const SHORTEST_SECRET = 16

/** Why a server refuses. */
const Refusal = { secret: 1, full: 2, version: 3 } as const

const refusals: Record<number, string> = {
  [Refusal.secret]: 'it has another secret, or asks for one, or for none',
  [Refusal.full]: 'it has as many connections as it takes',
  [Refusal.version]: 'it speaks another version',
}

/** @throws TypeError and RangeError for what is no secret. */
export function checkedSecret(secret: Secret | undefined): Secret | undefined {
  if (secret === undefined) return undefined
  if (typeof secret !== 'string' && !(secret instanceof Uint8Array)) {
    throw new TypeError('secret is a text or bytes that both sides know.')
  }
  if (Buffer.byteLength(secret) < SHORTEST_SECRET) {
    throw new RangeError(
      `secret has at least ${SHORTEST_SECRET} bytes, better 32 random ones: a shorter one can be guessed.`,
    )
  }
  return secret
}

/** Reads short frames of a socket, one when it is asked for. */
class ShortFrames {
  #bytes = Buffer.alloc(0)
  #ended: Error | undefined
  #look = () => {}
  readonly #listeners: Array<[event: string, listener: (...given: any[]) => void]>

  constructor(readonly socket: Socket) {
    this.#listeners = [
      ['data', (piece: Buffer) => this.#came(piece)],
      ['error', (error: Error) => this.#end(error)],
      ['close', () => this.#end(new FlatshareError('The other side has hung up.'))],
    ]
    for (const [event, listener] of this.#listeners) socket.on(event, listener)
  }

  #came(piece: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, piece])
    this.#look()
  }

  #end(error: Error): void {
    this.#ended ??= error
    this.#look()
  }

  send(bytes: Uint8Array): void {
    for (const piece of framed(bytes)) this.socket.write(piece)
  }

  next(): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#look = () => {
        const bytes = this.#bytes
        const length = bytes.length >= HEADER_BYTES ? bytes.readUInt32LE() : undefined
        if (length !== undefined && length > LONGEST) {
          reject(new FlatshareError('The other side does not speak as Flatshare does.'))
        } else if (length !== undefined && bytes.length >= HEADER_BYTES + length) {
          this.#bytes = bytes.subarray(HEADER_BYTES + length)
          this.#look = () => {}
          resolve(bytes.subarray(HEADER_BYTES, HEADER_BYTES + length))
        } else if (this.#ended) reject(this.#ended)
      }
      this.#look()
    })
  }

  /** Reads no more; gives what was read beyond the frames. */
  leave(): Buffer {
    this.socket.pause()
    for (const [event, listener] of this.#listeners) this.socket.off(event, listener)
    return this.#bytes
  }
}

/** Key material that only the two ends of this TLS connection have; nothing where there is no TLS. */
function bindingOf(socket: Socket): Uint8Array {
  if (!('encrypted' in socket)) return new Uint8Array(0)
  return (socket as TLSSocket).exportKeyingMaterial(32, 'EXPORTER-flatshare', Buffer.alloc(0))
}

function proof(secret: Secret, who: 'client' | 'server', client: Buffer, server: Buffer, socket: Socket): Buffer {
  return createHmac('sha256', secret).update(who).update(client).update(server).update(bindingOf(socket)).digest()
}

const proves = (given: Buffer, wanted: Buffer) => given.length === wanted.length && timingSafeEqual(given, wanted)

function greeting(secret: Secret | undefined, nonce: Buffer): Buffer {
  return Buffer.concat([Uint8Array.of(VERSION, secret === undefined ? 0 : 1), nonce])
}

/** Ends a socket that is refused, saying why. */
function refuse(socket: Socket, why: number): void {
  for (const piece of framed(Uint8Array.of(REFUSED, why))) socket.write(piece)
  socket.destroySoon()
}

/**
 * The server's side. Gives what was read beyond it.
 *
 * @param isFull whether there is no place for this one.
 * @throws FlatshareError where the client is refused, hangs up or talks nonsense; then the socket is ended.
 */
export function admit(
  socket: Socket,
  secret: Secret | undefined,
  timeout: number,
  isFull: () => boolean,
): Promise<Buffer> {
  return within(socket, timeout, async (frames) => {
    const hello = await frames.next()
    // Not before it has spoken: it may not read what comes while it writes to one who has gone.
    if (isFull()) {
      refuse(socket, Refusal.full)
      throw new FlatshareError('There are as many connections as may be.')
    }
    const server = randomBytes(NONCE)
    if (hello.length !== NONCE + 2 || hello[0] !== VERSION) {
      refuse(socket, Refusal.version)
      throw new FlatshareError('A client came that does not speak this version of Flatshare.')
    }
    const has = hello[1] === 1
    if (has !== (secret !== undefined)) {
      refuse(socket, Refusal.secret)
      throw new FlatshareError(`A client came ${has ? 'with a secret where there is none' : 'without the secret'}.`)
    }
    frames.send(greeting(secret, server))
    if (secret === undefined) return
    const client = hello.subarray(2)
    if (!proves(await frames.next(), proof(secret, 'client', client, server, socket))) {
      refuse(socket, Refusal.secret)
      throw new FlatshareError('A client came with another secret.')
    }
    frames.send(Buffer.concat([Uint8Array.of(WELCOME), proof(secret, 'server', client, server, socket)]))
  })
}

/**
 * The client's side. Gives what was read beyond it.
 *
 * @throws FlatshareError where the server refuses, or doesn't know the secret.
 */
export function present(socket: Socket, secret: Secret | undefined, timeout: number): Promise<Buffer> {
  return within(socket, timeout, async (frames) => {
    const client = randomBytes(NONCE)
    frames.send(greeting(secret, client))
    const hello = accepted(await frames.next())
    if (hello.length !== NONCE + 2 || hello[0] !== VERSION || hello[1] !== (secret === undefined ? 0 : 1)) {
      throw new FlatshareError('The other side does not speak as Flatshare does.')
    }
    if (secret === undefined) return
    const server = hello.subarray(2)
    frames.send(proof(secret, 'client', client, server, socket))
    const answer = accepted(await frames.next())
    if (answer[0] !== WELCOME || !proves(answer.subarray(1), proof(secret, 'server', client, server, socket))) {
      throw new FlatshareError('The other side does not know the secret.')
    }
  })
}

function accepted(frame: Buffer): Buffer {
  if (frame.length !== 2 || frame[0] !== REFUSED) return frame
  throw new FlatshareError(`The other side refused this process: ${refusals[frame[1]!] ?? 'it did not say why'}.`)
}

async function within(socket: Socket, timeout: number, speak: (frames: ShortFrames) => Promise<void>): Promise<Buffer> {
  const frames = new ShortFrames(socket)
  const late = timeoutError(`The other side has not introduced itself within ${timeout} ms.`)
  const timer = setTimeout(() => socket.destroy(late), timeout)
  try {
    await speak(frames)
    return frames.leave()
  } catch (error) {
    frames.leave()
    // One that is refused hears why before its end.
    if (!socket.writableEnded) socket.destroy()
    else socket.resume()
    throw error
  } finally {
    clearTimeout(timer)
  }
}
