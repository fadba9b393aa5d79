import { Apartment } from '@flatshare/apartment'
import { childProcess } from '@flatshare/process'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

type Basic = typeof import('./children/basic.js')
const basic = new URL('./children/basic.js', import.meta.url)

describe('a process that is stopped', () => {
  it.each(['process', 'thread'] as const)(
    'counts as gone after its timeout, and is ended: signs of the %s',
    async (of) => {
      const heartbeat = { interval: 100, timeout: 1_000, of }
      await using apartment = await Apartment.open<Basic>(childProcess(basic, { heartbeat }))
      const pid = await apartment.remote.pid()
      const awaited = apartment.remote.never()
      process.kill(pid, 'SIGSTOP')
      const { message } = (await awaited.catch((error: Error) => error.cause)) as Error
      expect(message).toMatch(`The process ${pid} has not answered for 1000 ms`)
      await apartment.close()
      expect(() => process.kill(pid, 0)).toThrow('ESRCH')
    },
  )
})

describe('a process that computes', () => {
  it('is left in peace where the signs of the process count', async () => {
    const heartbeat = { interval: 100, timeout: 1_500 }
    await using apartment = await Apartment.open<Basic>(childProcess(basic, { heartbeat }))
    expect(await apartment.remote.compute(2_500)).toBe('done')
  })

  it('is ended where those of its thread do', async () => {
    const heartbeat = { interval: 50, timeout: 300, of: 'thread' } as const
    await using apartment = await Apartment.open<Basic>(childProcess(basic, { heartbeat }))
    const error = await apartment.remote.compute(20_000).catch((error: unknown) => error)
    expect(error).toMatchObject({
      mayHaveRun: true,
      cause: { message: expect.stringMatching('has not answered for 300 ms') },
    })
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
