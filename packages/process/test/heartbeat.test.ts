import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { Apartment } from '@flatshare/apartment'
import { ROOT } from '@flatshare/apartment/internal'
import { childProcess } from '@flatshare/process'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { childProcess as source } from '../dist/child-options.js'
import { GUARD_DESCRIPTOR } from '../dist/guard.js'
import { startLife } from '../dist/process-life.js'
import { privateFolder } from './socket-pair.js'

type Basic = typeof import('./children/basic.js')
const basic = new URL('./children/basic.js', import.meta.url)

/** Beats come when the test says so. */
const stopClock = () => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })

/** Beats until the call is settled; gives why it failed. */
async function beatUntilLost(call: Promise<unknown>, interval: number): Promise<unknown> {
  let error: unknown
  const lost = call.catch((reason: unknown) => {
    error = reason
  })
  while (error === undefined) {
    vi.advanceTimersByTime(interval)
    await turn()
  }
  await lost
  return error
}

afterEach(() => void vi.useRealTimers())

describe('a process that is stopped', () => {
  it.each(['process', 'thread'] as const)(
    'counts as gone after its timeout, and is ended: signs of the %s',
    async (of) => {
      stopClock()
      const heartbeat = { interval: 100, timeout: 1_000, of }
      await using apartment = await Apartment.open<Basic>(childProcess(basic, { heartbeat }))
      const pid = await apartment.remote.pid()
      const awaited = apartment.remote.never()
      process.kill(pid, 'SIGSTOP')
      const error = await beatUntilLost(awaited, 100)
      expect(error).toMatchObject({
        mayHaveRun: true,
        cause: { message: expect.stringMatching(new RegExp(`^The process ${pid} has not answered for \\d+ ms`)) },
      })
      await apartment.close()
      expect(() => process.kill(pid, 0)).toThrow('ESRCH')
    },
  )
})

describe('a process that computes', () => {
  it('is left in peace where the signs of the process count', async () => {
    stopClock()
    using folder = privateFolder()
    const path = join(folder.path, 'enough')
    const life = await startLife(source(basic, { heartbeat: { interval: 100, timeout: 200 } }), {})
    const served = { id: ROOT, name: 'served' }
    const computing = life.peer.call(served, 'call', 'computeUntil', [path], undefined)
    const pipe = life.running.child.stdio[GUARD_DESCRIPTOR] as Duplex
    for (let i = 0; i < 20; i++) {
      const sign = once(pipe, 'data')
      vi.advanceTimersByTime(100)
      await sign
    }
    writeFileSync(path, '')
    expect(await computing).toBe('done')
    life.running.kill('SIGKILL')
    await life.running.exited
  })

  it('is ended where those of its thread do', async () => {
    stopClock()
    using folder = privateFolder()
    const heartbeat = { interval: 50, timeout: 300, of: 'thread' } as const
    await using apartment = await Apartment.open<Basic>(childProcess(basic, { heartbeat }))
    const computing = apartment.remote.computeUntil(join(folder.path, 'never'))
    expect(await beatUntilLost(computing, 50)).toMatchObject({
      mayHaveRun: true,
      cause: { message: expect.stringMatching('has not answered for 300 ms') },
    })
  })
})

describe('the guard of a child', async () => {
  const { watchGuard } = await import('../dist/guard.js')
  const { PassThrough } = await import('node:stream')

  it('is given more time to begin, and then no more than its timeout', () => {
    vi.useFakeTimers()
    const pipe = new PassThrough()
    // What it is asked is not its sign.
    pipe.write = () => true
    const lost = vi.fn()
    watchGuard(pipe, { interval: 100, timeout: 300 }, lost)
    vi.advanceTimersByTime(10_000)
    expect(lost).not.toHaveBeenCalled()
    pipe.emit('data', '.')
    vi.advanceTimersByTime(299)
    expect(lost).not.toHaveBeenCalled()
    vi.advanceTimersByTime(2)
    expect(lost).toHaveBeenCalledExactlyOnceWith(300)
  })
})

describe('a heartbeat', async () => {
  const { Heartbeat } = await import('../dist/heartbeat.js')
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  const start = () => {
    const ask = vi.fn()
    const lost = vi.fn()
    return { beat: new Heartbeat({ interval: 10, timeout: 30 }, { ask, lost }), ask, lost }
  }

  it('asks, and is content with any sign', () => {
    const { beat, ask, lost } = start()
    for (let i = 0; i < 10; i++) {
      vi.advanceTimersByTime(25)
      beat.heard()
    }
    expect(ask.mock.calls.length).toBe(25)
    expect(lost).not.toHaveBeenCalled()
  })

  it('gives up after as many beats as make up its timeout', () => {
    const { lost } = start()
    vi.advanceTimersByTime(29)
    expect(lost).not.toHaveBeenCalled()
    vi.advanceTimersByTime(2)
    expect(lost).toHaveBeenCalledExactlyOnceWith(30)
    vi.advanceTimersByTime(1000)
    expect(lost).toHaveBeenCalledTimes(1)
  })

  it('reads what has come before it gives up', () => {
    const { beat, lost } = start()
    // Due together with the last beat, and after it, as what is read in that turn of the event loop.
    setTimeout(() => beat.heard(), 30)
    vi.advanceTimersByTime(31)
    expect(lost).not.toHaveBeenCalled()
  })

  it('gives up nothing once it is stopped', () => {
    const { beat, lost } = start()
    vi.advanceTimersByTime(25)
    beat.stop()
    vi.advanceTimersByTime(1000)
    expect(lost).not.toHaveBeenCalled()
  })
})
