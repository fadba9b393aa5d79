import { once } from 'node:events'
import { statSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { Apartment, blocking, DisconnectedError } from '@flatshare/apartment'
import { CannotBlockError } from '@flatshare/core'
import {
  childProcess,
  type ListenOptions,
  type ListenSettings,
  listen,
  type SocketOptions,
  socket,
} from '@flatshare/process'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { certificate } from './certificate.js'
import { privateFolder } from './socket-pair.js'

type Listening = typeof import('./children/listening.js')
const module = new URL('./children/listening.js', import.meta.url)
const secret = 'a secret of more than sixteen bytes'

let folder: ReturnType<typeof privateFolder>
let server: Apartment<Listening>
beforeEach(async () => {
  folder = privateFolder()
  server = await Apartment.open<Listening>(childProcess(module), { name: 'server' })
})
afterEach(async () => {
  await server.close()
  folder[Symbol.dispose]()
})

const path = () => join(folder.path, 'socket')
const openAt = (options: SocketOptions, name?: string) =>
  Apartment.open<Listening>(socket(options), name === undefined ? {} : { name })

async function startUnix(options: { path: string; secret?: string }): Promise<SocketOptions> {
  await server.remote.start(options)
  return options
}

/** Serves at a free TCP port of this machine. */
async function startTcp(options: ListenSettings): Promise<number> {
  const place = await server.remote.start({ port: 0, ...options })
  return (place as { port: number }).port
}

describe('a process at a socket', () => {
  const ways: Array<[string, () => Promise<SocketOptions>]> = [
    ['Unix', () => startUnix({ path: path() })],
    ['Unix, with a secret', () => startUnix({ path: path(), secret })],
    ['TCP, with a secret', async () => ({ port: await startTcp({ secret }), secret })],
    [
      'TLS, with a secret',
      async () => {
        const { key, cert } = certificate()
        return { port: await startTcp({ secret, tls: { key, cert } }), secret, tls: { ca: cert }, host: 'localhost' }
      },
    ],
    [
      'TLS, with certificates of both sides',
      async () => {
        const [ours, theirs] = [certificate(), certificate()]
        const port = await startTcp({ tls: { ...theirs, ca: ours.cert, requestCert: true } })
        return { port, tls: { ...ours, ca: theirs.cert } }
      },
    ],
  ]
  it.each(ways)('is called, calls back, and is let go: %s', async (way, start) => {
    const options = await start()
    const apartment = await openAt(options, 'attached')
    expect(apartment.name).toBe('attached')
    expect(await apartment.remote.pid()).toBe(await server.remote.pid())
    expect(await apartment.remote.call((n) => n * 2)).toBe(42)
    const counter = await apartment.create('Counter')
    expect(await counter.add(3)).toBe(3)
    if (way.startsWith('TLS')) expect(() => blocking(counter).add(1)).toThrow(CannotBlockError)
    else expect(blocking(counter).add(1)).toBe(4)
    const long = 'x'.repeat(2_000_000)
    expect(await apartment.remote.echo(long)).toBe(long)
    await apartment.close()
    await expect(counter.add(1)).rejects.toThrow(DisconnectedError)
    await using again = await openAt(options)
    expect(await again.remote.connections()).toBeGreaterThan(0)
  })

  it('has its socket for its user alone', async () => {
    await server.remote.start({ path: path() })
    expect(statSync(path()).mode & 0o777).toBe(0o600)
  })

  it('that dies rejects what is awaited from it', async () => {
    await server.remote.start({ path: path() })
    await using apartment = await openAt({ path: path() })
    const awaited = apartment.remote.never()
    process.kill(await apartment.remote.pid(), 'SIGKILL')
    await expect(awaited).rejects.toMatchObject({ mayHaveRun: true })
  })

  it('that listens no more lets go of who is connected', async () => {
    await server.remote.start({ path: path() })
    await using apartment = await openAt({ path: path() })
    const awaited = apartment.remote.never()
    const rejects = expect(awaited).rejects.toThrow(DisconnectedError)
    await server.remote.stop()
    await rejects
    await expect(openAt({ path: path() })).rejects.toThrow(/could not be reached: connect ENOENT/)
  })

  it('takes the place of one that was killed, and not of one that lives', async () => {
    await server.remote.start({ path: path() })
    await expect(listen({ path: path() })).rejects.toThrow(/^Nothing can listen at socket .*EADDRINUSE/)
    process.kill(await server.remote.pid(), 'SIGKILL')
    await server.remote.never().catch(() => {})
    await using mine = await listen({ path: path() })
    expect(mine.place).toEqual({ path: path() })
    writeFileSync(join(folder.path, 'file'), 'precious')
    await expect(listen({ path: join(folder.path, 'file') })).rejects.toThrow('EADDRINUSE')
    await expect(listen({ path: join(folder.path, 'é'.repeat(60)) })).rejects.toThrow(
      /^path has \d+ bytes, and the system/,
    )
  })

  it('that is stopped is found out by the heartbeat', async () => {
    // Beats come when the test says so.
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    onTestFinished(() => void vi.useRealTimers())
    await server.remote.start({ path: path() })
    await using apartment = await openAt({ path: path(), heartbeat: { interval: 100, timeout: 1_000 } }, 'slow')
    const pid = await apartment.remote.pid()
    let error: unknown
    const lost = apartment.remote.never().catch((reason: unknown) => {
      error = reason
    })
    process.kill(pid, 'SIGSTOP')
    while (error === undefined) {
      vi.advanceTimersByTime(100)
      await turn()
    }
    await lost
    process.kill(pid, 'SIGCONT')
    expect(error).toMatchObject({
      cause: { message: 'The apartment "slow" has not answered for 1000 ms.' },
    })
  })
})

describe('a stranger', () => {
  it.each([
    ['without the secret', undefined, 'A client came without the secret.'],
    ['with another secret', 'another secret of the same length', 'A client came with another secret.'],
  ])('is refused %s', async (_, other, reason) => {
    await server.remote.start({ path: path(), secret })
    await expect(openAt({ path: path(), ...(other && { secret: other }) })).rejects.toThrow(
      'could not be reached: The other side refused this process: it has another secret, or asks for one, or for none.',
    )
    expect(await server.remote.refusals(1)).toEqual([reason])
    expect(await server.remote.connections()).toBe(0)
    await using friend = await openAt({ path: path(), secret })
    expect(await friend.remote.connections()).toBe(1)
  })

  it('who serves at the place is not taken for who knows the secret', async () => {
    // Gives back whatever it is sent, and so the client's own proof.
    const mirror = createServer((socket) => void socket.pipe(socket).on('error', () => {}))
    mirror.listen(path())
    await once(mirror, 'listening')
    await expect(openAt({ path: path(), secret })).rejects.toThrow('The other side does not')
    mirror.close()
  })

  it('is not reached where certificates are wrong', async () => {
    const { key, cert } = certificate()
    const port = await startTcp({ secret, tls: { key, cert } })
    await expect(openAt({ port, secret, tls: { ca: certificate().cert } })).rejects.toThrow(
      /could not be reached: .*certificate/,
    )
    await expect(openAt({ port, secret })).rejects.toThrow('could not be reached')
  })

  const frame = (...bytes: number[]) => Buffer.from([bytes.length, 0, 0, 0, ...bytes])
  const hello = frame(1, 1, ...new Array<number>(32).fill(7))
  const nonsense: Array<[string, Uint8Array]> = [
    ['speaks HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')],
    ['announces a frame that is too long', Buffer.from([0, 0, 0, 1])],
    ['sends an empty frame', frame()],
    ['speaks another version', frame(9, 1, ...new Array<number>(32).fill(7))],
    ['sends a short proof', Buffer.concat([hello, frame(1, 2, 3)])],
    ['sends a proof of zeros', Buffer.concat([hello, frame(...new Array<number>(32).fill(0))])],
    ['goes on as if it were admitted', Buffer.concat([hello, hello, Buffer.from('\x40\0\0\0{"flatshare":1}')])],
  ]
  it.each(nonsense)('who %s is hung up on, and does no harm', async (_, bytes) => {
    await server.remote.start({ path: path(), secret })
    const stranger = connect(path())
    stranger.on('error', () => {})
    stranger.resume()
    stranger.write(bytes)
    await once(stranger, 'close')
    expect((await server.remote.refusals(1)).length).toBe(1)
    await using friend = await openAt({ path: path(), secret })
    expect(await friend.remote.echo('well')).toBe('well')
  })

  it('who says nothing is hung up on in time', async () => {
    await server.remote.start({ path: path(), secret, handshakeTimeout: 100 })
    const stranger = connect(path())
    stranger.resume()
    await once(stranger, 'close')
    expect(await server.remote.refusals(1)).toEqual(['The other side has not introduced itself within 100 ms.'])
  })

  it('finds no more than so many places', async () => {
    await server.remote.start({ path: path(), secret, limits: { pending: 2, connections: 1 } })
    await using friend = await openAt({ path: path(), secret })
    await expect(openAt({ path: path(), secret })).rejects.toThrow('it has as many connections as it takes')
    const strangers: Socket[] = []
    for (let i = 0; i < 3; i++) {
      strangers.push(connect(path()))
      await once(strangers[i]!, 'connect')
    }
    const [full, reason] = await server.remote.refusals(2)
    expect(full).toBe('There are as many connections as may be.')
    expect(reason).toBe('Too many came at once and had not introduced themselves yet.')
    expect(await friend.remote.echo('still')).toBe('still')
    for (const stranger of strangers) stranger.destroy()
  })
})

describe('onRefused', () => {
  it('hears from where a stranger came who is gone by then', async () => {
    let heard!: (from: string) => void
    const refused = new Promise<string>((resolve) => (heard = resolve))
    await using listener = await listen({ port: 0, secret, onRefused: (_, from) => heard(from) })
    const stranger = connect({ port: (listener.place as { port: number }).port, host: '127.0.0.1' })
    stranger.on('error', () => {})
    await once(stranger, 'connect')
    const place = `127.0.0.1:${stranger.localPort}`
    stranger.end('GET / HTTP/1.1\r\n\r\n'.repeat(10))
    expect(await refused).toBe(place)
  })
})

describe('one who was admitted', () => {
  it('ends only its own link by a frame that is too long, or too deep', async () => {
    await server.remote.start({ path: path(), secret, maxFrame: 10_000, limits: { depth: 20 } })
    await using other = await openAt({ path: path(), secret })
    await using long = await openAt({ path: path(), secret })
    await expect(long.remote.echo('x'.repeat(20_000))).rejects.toThrow(DisconnectedError)
    await using deep = await openAt({ path: path(), secret })
    let nested: unknown = 'leaf'
    for (let i = 0; i < 100; i++) nested = [nested]
    await expect(deep.remote.echo(nested)).rejects.toThrow(DisconnectedError)
    expect(await other.remote.echo('well')).toBe('well')
  })

  it('waits where it sends more than is read in a second', async () => {
    await server.remote.start({ path: path(), secret, limits: { rate: { bytes: 1_000_000 } } })
    await using apartment = await openAt({ path: path(), secret })
    const text = 'x'.repeat(400_000)
    for (let i = 0; i < 3; i++) expect(await apartment.remote.echo(text)).toBe(text)
  })
})

describe('options of sockets', () => {
  it('are checked, and let nobody in by mistake', async () => {
    const rejected = async (options: ListenOptions) => (await listen(options).catch((error: unknown) => error)) as Error
    // @ts-expect-error
    expect(await rejected({})).toBeInstanceOf(TypeError)
    // @ts-expect-error
    expect(await rejected({ path: path(), port: 1 })).toBeInstanceOf(TypeError)
    // @ts-expect-error
    expect(await rejected({ path: path(), host: 'localhost' })).toBeInstanceOf(TypeError)
    // @ts-expect-error
    expect(() => socket({ secret })).toThrow(TypeError)
    // @ts-expect-error
    expect(() => socket({ path: path(), port: 1 })).toThrow(TypeError)
    expect((await rejected({ port: 0 })).message).toMatch('give a secret, or tls with requestCert and ca')
    expect((await rejected({ port: 0, host: '0.0.0.0', secret })).message).toMatch('Others reach 0.0.0.0')
    expect((await rejected({ path: path(), secret: 'short' })).message).toMatch('secret has at least 16 bytes')
    expect(await rejected({ path: path(), limits: { connections: 0 } })).toBeInstanceOf(RangeError)
    expect(() => socket({ port: 70_000 })).toThrow(RangeError)
    expect(() => socket({ path: path(), tls: 3 as never })).toThrow(TypeError)
    await expect(Apartment.open(socket({ path: path() }), { stdout: true })).rejects.toThrow(
      'stdout is for what Apartment.open starts; the process at a socket runs already.',
    )
  })
})
