import { setImmediate as turn } from 'node:timers/promises'
import { Apartment, blocking, DisconnectedError } from '@flatshare/apartment'
import { childProcess, type Restart } from '@flatshare/process'
import { describe, expect, it } from 'vitest'

type Basic = typeof import('./children/basic.js')
const basic = new URL('./children/basic.js', import.meta.url)

/** Promises for the first calls of a function. */
function awaited<T>(count: number) {
  const resolves: Array<(value: T) => void> = []
  const promises = Array.from({ length: count }, () => new Promise<T>((resolve) => resolves.push(resolve)))
  return { promises, call: (value: T) => resolves.shift()?.(value) }
}

describe('a process with a restart policy', () => {
  it('is started again after it failed: its apartment goes on, its objects are gone', async () => {
    const restarted = awaited<Restart>(1)
    const source = childProcess(basic, { restart: { policy: 'on-failure', backoff: 0, onRestart: restarted.call } })
    await using apartment = await Apartment.open<Basic>(source, { name: 'phoenix' })
    const first = await apartment.remote.pid()
    const counter = await apartment.create('Counter', 1)
    const pending = apartment.remote.never()
    process.kill(first, 'SIGKILL')
    await expect(pending).rejects.toMatchObject({ mayHaveRun: true })
    // Waits for the process that is being started.
    const second = await apartment.remote.pid()
    expect(second).not.toBe(first)
    await expect(counter.add(1)).rejects.toThrow(DisconnectedError)
    const again = await apartment.create('Counter', 10)
    expect(await again.add(1)).toBe(11)
    expect(apartment.name).toBe('phoenix')
    expect(await restarted.promises[0]).toMatchObject({
      restarts: 1,
      exit: { pid: first, code: null, signal: 'SIGKILL' },
      cause: { message: `The process ${first} was ended by SIGKILL.` },
      pid: second,
    })
    expect(blocking(apartment.remote).pid()).toBe(second)
  })

  it('is given up when it fails too often', async () => {
    const givenUp = awaited<Error>(1)
    const restart = { policy: 'on-failure', maxRestarts: 2, backoff: 0, onGivenUp: givenUp.call } as const
    await using apartment = await Apartment.open<Basic>(childProcess(basic, { restart }), { name: 'frail' })
    for (let i = 0; i < 3; i++) await expect(apartment.remote.exit(1)).rejects.toThrow(DisconnectedError)
    const error = await givenUp.promises[0]!
    expect(error.message).toBe('The apartment "frail" has ended again, after it was started again 2 times.')
    await expect(apartment.remote.pid()).rejects.toMatchObject({
      mayHaveRun: false,
      cause: error,
      message: 'served.pid: the process of "frail" has ended and is not started again; the call was not made.',
    })
  })

  it("'on-failure' isn't started again after a good end; 'always' is", async () => {
    const givenUp = awaited<Error>(1)
    const once = childProcess(basic, { restart: { policy: 'on-failure', backoff: 0, onGivenUp: givenUp.call } })
    await using first = await Apartment.open<Basic>(once)
    await expect(first.remote.exit(0)).rejects.toThrow(DisconnectedError)
    expect((await givenUp.promises[0]!).message).toBe('The apartment has ended.')
    const always = childProcess(basic, { restart: { policy: 'always', backoff: 0 } })
    await using second = await Apartment.open<Basic>(always)
    await expect(second.remote.exit(0)).rejects.toThrow(DisconnectedError)
    expect(await second.remote.pid()).toBeGreaterThan(0)
  })

  it("isn't started again when it is closed, also while it is being started", async () => {
    let restarts = 0
    const restart = { policy: 'always', backoff: 0, onRestart: () => restarts++ } as const
    const closed = await Apartment.open<Basic>(childProcess(basic, { restart }))
    await closed.close()
    const waiting = await Apartment.open<Basic>(childProcess(basic, { restart: { ...restart, backoff: 25_000 } }))
    await expect(waiting.remote.exit(1)).rejects.toThrow(DisconnectedError)
    expect(() => blocking(waiting.remote).pid()).toThrow(/^served\.pid\(\): the process of .* is being started again/)
    const late = expect(waiting.remote.pid()).rejects.toThrow(DisconnectedError)
    await waiting.close()
    await late
    await turn()
    expect(restarts).toBe(0)
  })
})
