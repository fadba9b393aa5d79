import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Apartment, blocking, DisconnectedError } from '@flatshare/apartment'
import { CannotBlockError } from '@flatshare/core'
import { childProcess } from '@flatshare/process'
import { describe, expect, it } from 'vitest'

const own = fileURLToPath(new URL('./children/own.js', import.meta.url))
const withPipe = { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] as Array<'ignore' | 'inherit' | 'pipe'> }
const ways = {
  "forked, 'json'": () => fork(own),
  "forked, 'advanced'": () => fork(own, { serialization: 'advanced' }),
  'spawned with a pipe': () => spawn(process.execPath, [own], withPipe),
}

interface Own {
  greet(name: string): string
  pid(): number
  echo<T>(value: T): T
  call(callback: (n: number) => unknown): unknown
  never(): Promise<never>
}

describe.each(Object.entries(ways))('a process that a function has %s', (_, start) => {
  it('is opened, called, calls back, and is closed', async () => {
    let pid = 0
    {
      await using apartment = await Apartment.open<Own>(start, { name: 'own' })
      expect(await apartment.remote.greet('you')).toBe('hello you')
      expect(await apartment.remote.call((n) => n * 2)).toBe(42)
      const value = { date: new Date(0), map: new Map([[1, -0]]), bytes: Uint8Array.of(1, 2, 3), text: 'é\ud800' }
      expect(await apartment.remote.echo(value)).toEqual(value)
      pid = await apartment.remote.pid()
    }
    expect(() => process.kill(pid, 0)).toThrow('ESRCH')
  })

  it('is called by a thread that blocks, where its channel can be read so', async () => {
    await using apartment = await Apartment.open<Own>(start, { name: 'own' })
    const remote = blocking(apartment.remote)
    if (_ === 'spawned with a pipe') {
      expect(remote.greet('you')).toBe('hello you')
      return
    }
    expect(() => remote.greet('you')).toThrow(CannotBlockError)
    expect(() => remote.greet('you')).toThrow(
      /^served\.greet\(\) of the thread "own" can't be waited for: .* as over an IPC channel or TLS .*Instead: await proxy\.greet\(\)\.$/,
    )
    expect(await apartment.remote.greet('you')).toBe('hello you')
  })

  it('carries much at once', async () => {
    await using apartment = await Apartment.open<Own>(start)
    const bytes = new Uint8Array(5_000_000).map((_, i) => i)
    const back = await Promise.all([1, 2, 3].map(() => apartment.remote.echo(bytes)))
    for (const one of back) expect(Buffer.compare(one as Uint8Array, bytes)).toBe(0)
  })

  it('rejects what is awaited from it when it is killed', async () => {
    await using apartment = await Apartment.open<Own>(childProcess(start))
    const pid = await apartment.remote.pid()
    const awaited = apartment.remote.never()
    process.kill(pid, 'SIGKILL')
    await expect(awaited).rejects.toMatchObject({
      mayHaveRun: true,
      cause: { message: `The process ${pid} was ended by SIGKILL.` },
    })
    await expect(awaited).rejects.toThrow(DisconnectedError)
  })
})

describe('a process that a function starts', () => {
  it("keeps its users' own messages", async () => {
    let child!: ChildProcess
    await using apartment = await Apartment.open<Own>(() => (child = fork(own)))
    expect(await apartment.remote.greet('you')).toBe('hello you')
    const answer = once(child, 'message')
    child.send({ mine: 'letter' })
    expect((await answer)[0]).toEqual({ yours: 'letter' })
  })

  it('without its environment says by itself where its parent is', async () => {
    const late = fileURLToPath(new URL('./children/late.js', import.meta.url))
    const starts = [
      () => fork(late, ['ipc'], { env: {} }),
      () => spawn(process.execPath, [late, '3'], { ...withPipe, env: {} }),
    ]
    for (const start of starts) {
      await using apartment = await Apartment.open<{ late(): string }>(start)
      expect(await apartment.remote.late()).toBe('but there')
    }
  })

  const child = (name: string) => fileURLToPath(new URL(`./children/${name}.js`, import.meta.url))
  const unheard = [
    ['whose module only exports', () => fork(child('basic'))],
    ["whose module doesn't import this package", () => fork(child('unlinked'))],
    ['with another environment, forked', () => fork(child('greets'), { env: {} })],
    ['with another environment, spawned', () => spawn(process.execPath, [child('greets')], { ...withPipe, env: {} })],
  ] as const
  it.each(unheard)('is told how to serve: %s', async (_, start) => {
    let started!: ChildProcess
    const opening = Apartment.open(() => (started = start()))
    const error = (await opening.catch((error: unknown) => error)) as Error
    expect(error.message).toMatch(
      /^The apartment ended before it began to serve: the process \d+ has exited with code 0;/,
    )
    expect(error.message).toContain(`process ${started.pid} has`)
    expect(error.message).toMatch(
      /import '@flatshare\/process' and call serve\(\)\?.* childProcess\(url\).* serveParent\(\)/,
    )
  })

  it('is refused as a promise, and ended', async () => {
    for (const source of [(start: any) => start, childProcess as (start: any) => unknown]) {
      let forked!: ChildProcess
      const promised = async () => (forked = fork(own))
      await expect(Apartment.open(source(promised) as never)).rejects.toThrow(
        'The function gave a promise: it must give the worker or the process itself.',
      )
      expect(await once(forked, 'exit')).toEqual([null, 'SIGKILL'])
    }
    await expect(Apartment.open(childProcess((() => 1) as never))).rejects.toThrow('gives no process')
  })

  it('is refused without a channel, and ended', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 60_000)'], { stdio: 'ignore' })
    const ended = once(child, 'exit')
    await expect(Apartment.open(() => child)).rejects.toThrow(
      /^The process has no channel to this one: fork it, or spawn/,
    )
    expect(await ended).toEqual([null, 'SIGKILL'])
  })

  it('is given up where it never serves, and ended', async () => {
    const child = fork(fileURLToPath(new URL('./children/waits.js', import.meta.url)))
    const ended = once(child, 'exit')
    await expect(Apartment.open(() => child, { startTimeout: 200 })).rejects.toThrow(
      "has not begun to serve within 200 ms: does its module import '@flatshare/process' and call serve()?",
    )
    expect(await ended).toEqual([null, 'SIGKILL'])
  })
})
