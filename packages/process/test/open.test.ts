import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Apartment, ApartmentPool, blocking, DisconnectedError } from '@flatshare/apartment'
import { childProcess } from '@flatshare/process'
import { describe, expect, it } from 'vitest'

type Basic = typeof import('./children/basic.js')
const basic = new URL('./children/basic.js', import.meta.url)

describe('a module in a process of its own', () => {
  it('is opened, called and closed as one on a thread', async () => {
    await using apartment = await Apartment.open<Basic>(childProcess(basic), { name: 'counting' })
    expect(apartment.name).toBe('counting')
    const pid = await apartment.remote.pid()
    expect(pid).not.toBe(process.pid)
    const counter = await apartment.create('Counter', 5)
    expect(await counter.add(2)).toBe(7)
    expect(await counter.add(-3)).toBe(4)
    await apartment.close()
    expect(() => process.kill(pid, 0)).toThrow('ESRCH')
    await expect(counter.add(1)).rejects.toThrow(DisconnectedError)
  })

  it('calls back, streams, and gives objects by reference', async () => {
    await using apartment = await Apartment.open<Basic>(childProcess(basic))
    expect(await apartment.remote.twice(async (n) => n * 10)).toBe(30)
    const made = await apartment.remote.made()
    expect(await made.hello()).toBe('there')
    const counter = await apartment.create('Counter', 0)
    const got: number[] = []
    for await (const n of counter.upTo(500)) got.push(n)
    expect(got).toEqual(Array.from({ length: 500 }, (_, i) => i))
  })

  it('throws as itself', async () => {
    await using apartment = await Apartment.open<Basic>(childProcess(basic))
    const error = await apartment.remote.fail().catch((error: unknown) => error)
    expect(error).toBeInstanceOf(RangeError)
    expect(error).toMatchObject({ message: 'out of range', cause: 'reasons' })
  })

  it('that is killed rejects what is awaited from it, at once, and says so', async () => {
    await using apartment = await Apartment.open<Basic>(childProcess(basic), { name: 'victim' })
    const pid = await apartment.remote.pid()
    const awaited = apartment.remote.never()
    process.kill(pid, 'SIGKILL')
    const error = (await awaited.catch((error: unknown) => error)) as DisconnectedError
    expect(error).toBeInstanceOf(DisconnectedError)
    expect(error.mayHaveRun).toBe(true)
    expect(error.message).toContain(`: the process ${pid} of "${apartment.name}" was ended by SIGKILL; the call may`)
    expect((error.cause as Error).message).toBe(`The process ${pid} was ended by SIGKILL.`)
    await expect(apartment.remote.pid()).rejects.toMatchObject({ mayHaveRun: false })
  })

  it.each([
    ['ends', 'exit', 3],
    ['is killed', 'killItself', undefined],
  ] as const)('that %s throws where the call blocks', async (_, how, given) => {
    await using apartment = await Apartment.open<Basic>(childProcess(basic))
    const remote = blocking(apartment.remote) as unknown as Record<string, (given?: number) => unknown>
    expect(() => remote[how]!(given)).toThrow(DisconnectedError)
  })

  it('that is killed while it sends something long rejects what was awaited', async () => {
    await using apartment = await Apartment.open<Basic>(childProcess(basic))
    const pid = await apartment.remote.pid()
    let kill!: () => void
    const ready = new Promise<void>((resolve) => {
      kill = resolve
    })
    const long = apartment.remote.flood(kill)
    await ready
    // It sends as soon as this has been heard of, and needs longer than the signal takes.
    setImmediate(() => process.kill(pid, 'SIGKILL'))
    await expect(long).rejects.toMatchObject({ mayHaveRun: true })
  })

  it.each([
    ['a frame that is too long', [255, 255, 255, 255], /A frame of 4,294,967,295 bytes was announced/],
    ['a frame that makes no sense', [3, 0, 0, 0, 77, 77, 77], /./],
  ])('that says %s is ended', async (_, bytes, reason) => {
    await using apartment = await Apartment.open<Basic>(childProcess(basic))
    const pid = await apartment.remote.pid()
    const error = await apartment.remote.garble(Uint8Array.from(bytes)).catch((error: unknown) => error)
    expect(error).toMatchObject({ mayHaveRun: true, cause: { message: expect.stringMatching(reason) } })
    await apartment.close()
    expect(() => process.kill(pid, 0)).toThrow('ESRCH')
  })

  it('that ends by itself says with which exit code, or by which error', async () => {
    await using first = await Apartment.open<Basic>(childProcess(basic))
    const pid = await first.remote.pid()
    await expect(first.remote.exit(7)).rejects.toMatchObject({
      mayHaveRun: true,
      cause: { message: `The process ${pid} ended with exit code 7.` },
    })
    await using second = await Apartment.open<Basic>(childProcess(basic), { stderr: true })
    const error = (await second.remote.crash().catch((error: unknown) => error)) as DisconnectedError
    expect(error.cause).toBeInstanceOf(TypeError)
    expect((error.cause as Error).message).toBe('crashed')
  })

  it('is terminated at once', async () => {
    const apartment = await Apartment.open<Basic>(childProcess(basic))
    const pid = await apartment.remote.pid()
    const awaited = apartment.remote.never()
    const rejects = expect(awaited).rejects.toThrow(DisconnectedError)
    await apartment.terminate()
    await rejects
    expect(() => process.kill(pid, 0)).toThrow('ESRCH')
  })

  it('gets its arguments and its environment, and prints where it is told to', async () => {
    const source = childProcess(basic, { args: ['one', 'two words'] })
    const options = { env: { GREETING: 'hello' }, stdout: true, stderr: true }
    await using apartment = await Apartment.open<Basic>(source, options)
    const argv = await apartment.remote.argv()
    expect(argv[0]).toMatch(/children\/basic\.js$/)
    expect(argv.slice(1)).toEqual(['one', 'two words'])
    expect(await apartment.remote.environment('GREETING')).toBe('hello')
    expect(await apartment.remote.environment('FLATSHARE_LINK')).toBeUndefined()
    const printed = once(apartment.stdout! as never, 'data')
    const complained = once(apartment.stderr! as never, 'data')
    await apartment.remote.say('printed')
    await apartment.remote.complain('complained')
    expect(String(await printed)).toBe('printed\n')
    expect(String(await complained)).toBe('complained\n')
  })
})

describe('a module that cannot serve', () => {
  it('tells by which error, and leaves no process behind', async () => {
    const opening = Apartment.open(childProcess(new URL('./children/throws.js', import.meta.url)), { stderr: true })
    const error = (await opening.catch((error: unknown) => error)) as Error
    expect(error.message).toBe('The apartment did not start: no such index')
    expect(error.cause).toBeInstanceOf(RangeError)
  })

  it('because there is none', async () => {
    await expect(Apartment.open(childProcess(new URL('./children/absent.js', import.meta.url)))).rejects.toThrow(
      /^The apartment did not start: Cannot find module/,
    )
  })

  it('because it ends', async () => {
    const opening = Apartment.open(childProcess(new URL('./children/ends.js', import.meta.url)), { name: 'ending' })
    await expect(opening).rejects.toMatchObject({
      message: expect.stringMatching(
        /^The apartment "ending" ended before it began to serve: the process \d+ has exited with code 3\.$/,
      ),
      cause: { message: expect.stringMatching(/^The process \d+ ended with exit code 3\.$/) },
    })
  })

  it('because there is no such program', async () => {
    await expect(Apartment.open(childProcess(basic, { execPath: '/nowhere/node' }))).rejects.toMatchObject({
      message: expect.stringMatching(/^The apartment did not start: spawn \/nowhere\/node ENOENT/),
      cause: { code: 'ENOENT' },
    })
  })

  it('in time is given up, and killed', async () => {
    const opening = Apartment.open(childProcess(new URL('./children/waits.js', import.meta.url)), { startTimeout: 300 })
    await expect(opening).rejects.toThrow(
      'The apartment has not begun to serve within 300 ms: is its module still waiting, by a top-level await?',
    )
  })

  it('is given up by a signal', async () => {
    const given = new AbortController()
    const opening = Apartment.open(childProcess(new URL('./children/waits.js', import.meta.url)), {
      signal: given.signal,
    })
    given.abort(new Error('enough'))
    await expect(opening).rejects.toThrow('enough')
  })
})

describe('a pool', () => {
  const teaches = /^The members of a pool are threads of this process: open other processes by Apartment\.open/

  it('has threads of this process alone, and leaves no other behind', async () => {
    expect(() => new ApartmentPool(childProcess(basic) as never)).toThrow(teaches)
    let child: ChildProcess | undefined
    const start = () => (child = fork(fileURLToPath(new URL('./children/own.js', import.meta.url))))
    await expect(ApartmentPool.open(start as never, { size: 1 })).rejects.toMatchObject({
      message: expect.stringMatching('The members of a pool are threads of this process'),
    })
    if (child!.signalCode === null) await once(child!, 'exit')
    expect(child!.signalCode).toBe('SIGKILL')
  })
})

describe('options', () => {
  it('are checked before anything is started', async () => {
    expect(() => childProcess('not/absolute.js')).toThrow(TypeError)
    expect(() => childProcess(basic, { args: [1 as never] })).toThrow('args is an array of texts.')
    expect(() => childProcess(basic, { maxFrame: 10 })).toThrow(RangeError)
    expect(() => childProcess(basic, { heartbeat: { interval: 100, timeout: 50 } })).toThrow(RangeError)
    expect(() => childProcess(basic, { heartbeat: { of: 'planet' as never } })).toThrow(TypeError)
    expect(() => childProcess(basic, { restart: { policy: 'sometimes' as never } })).toThrow(TypeError)
    // @ts-expect-error
    expect(() => childProcess(() => null as never, { cwd: '/' })).toThrow('cwd is for a module')
    await expect(Apartment.open(childProcess(basic), { workerData: 1 })).rejects.toThrow(
      'workerData is for threads of this process, not for another process: give it args, or call it.',
    )
    const { SHARE_ENV } = await import('node:worker_threads')
    await expect(Apartment.open(childProcess(basic), { env: SHARE_ENV })).rejects.toThrow(
      'Processes share no environment',
    )
  })
})
