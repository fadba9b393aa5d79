import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Progress, type ProgressSnapshot } from '@flatshare/progress'
import { describe, expect, it } from 'vitest'
import { run, startThread } from './start-thread.js'

describe('S38 watching', () => {
  it('shows frozen snapshots, rising, the last one always, and ends', async () => {
    const progress = new Progress({ total: 300_000, label: 'Indexing' })
    const reported = Promise.all([1, 2, 3].map(() => run(progress, { do: 'advance', times: 100_000 })))
    const seen: ProgressSnapshot[] = []
    for await (const now of progress.watch({ interval: 1 })) seen.push(now)
    await reported
    expect(seen[0]).toMatchObject({ min: 1, max: 1000, total: 300_000, label: 'Indexing', cancelled: false })
    expect(seen.at(-1)).toMatchObject({ value: 1000, count: 300_000, fraction: 1, done: true, timeLeft: 0 })
    expect(seen.at(-1)!.rate).toBeGreaterThan(0)
    for (const [i, now] of seen.entries()) {
      expect(Object.isFrozen(now)).toBe(true)
      expect(now.value).toBeGreaterThanOrEqual(seen[i - 1]?.value ?? 1)
      expect(now.done).toBe(i === seen.length - 1)
    }
  })

  it('S38 is what for await does with the progress itself', async () => {
    const progress = new Progress({ total: 2 })
    const seen: number[] = []
    for await (const now of progress) {
      seen.push(now.count)
      progress.advance(2)
    }
    expect(seen).toEqual([0, 2])
  })

  it('S38 tells rate and time left, and of an unknown total the rate alone', async () => {
    const [known, unknown] = [new Progress({ total: 1000 }), new Progress()]
    for (const progress of [known, unknown]) {
      progress.advance(400)
      for await (const now of progress) {
        expect(now.rate).toBeGreaterThan(0)
        expect(now.timeLeft === undefined).toBe(progress === unknown)
        expect([now.count, now.fraction]).toEqual([400, progress === unknown ? 0 : 0.4])
        break
      }
    }
  })

  it('works on a thread other than the one that made it', async () => {
    const progress = new Progress({ total: 10 })
    // An hour: the first and the last don't wait for it.
    const thread = startThread(progress, { do: 'watch', interval: 3_600_000 })
    expect(await thread.next()).toBe('started')
    progress.advance(4)
    progress.advance(6)
    const seen = (await thread.next()) as ProgressSnapshot[]
    expect(seen.map(({ count, done }) => [count, done])).toEqual([
      [0, false],
      [10, true],
    ])
  })

  it('ends when it, or one above it, is cancelled, with what was done', async () => {
    const progress = new Progress({ total: 10 })
    const child = progress.child({ items: 5 })
    const threads = [progress, child].map((part) => startThread(part, { do: 'watch', interval: 3_600_000 }))
    for (const thread of threads) await thread.next()
    child.advance(2)
    progress.cancel()
    for (const thread of threads) {
      expect((await thread.next()).at(-1)).toMatchObject({ count: 2, cancelled: true, done: false })
    }
  })

  it('knows the fraction exactly, also where the value is coarse', async () => {
    const progress = new Progress({ total: 5, min: 0, max: 1 })
    progress.advance(2)
    const { value } = await progress.watch()[Symbol.asyncIterator]().next()
    expect(value).toMatchObject({ value: 0, fraction: 0.4 })
  })

  it('leaves nothing behind when the loop is left, or its signal aborts', async () => {
    const progress = new Progress()
    for await (const _ of progress.watch()) break
    const stop = new AbortController()
    let rounds = 0
    for await (const _ of progress.watch({ interval: 3_600_000, signal: stop.signal })) {
      rounds++
      queueMicrotask(() => stop.abort())
    }
    for await (const _ of progress.watch({ signal: stop.signal })) rounds++
    expect(rounds).toBe(1)
  })

  it('is an event as well', async () => {
    const progress = new Progress({ total: 2 })
    const seen: number[] = []
    await new Promise<void>((resolve) => {
      progress.onChange(
        ({ count, done }) => {
          seen.push(count)
          if (done) resolve()
          else progress.advance(2)
        },
        { interval: 1 },
      )
      progress.onChange(() => seen.push(-1))[Symbol.dispose]()
    })
    expect(seen.filter((count) => count >= 0)).toEqual([0, 2])
  })

  it.each([
    ['its last reporter dies', 0],
    ['the end was said by a thread that is gone', 0],
    ['only the signal is used', 0],
    ['it is watched from a single thread', 0],
    ['it is mirrored over a port that was closed before', 0],
    ['its mirror was to come over a port that was closed before', 0],
    ['its mirror was disposed of', 0],
  ])('lets the process end when %s', (name, code) => {
    const program = fileURLToPath(new URL('./threads/ending-process.js', import.meta.url))
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, name], {
      encoding: 'utf8',
      timeout: 20_000,
    })
    expect({ status, stdout, stderr }).toEqual({ status: code, stdout: 'ended\n', stderr: '' })
  })
})

describe('S38 an interval of 0', () => {
  it('leaves the event loop its turns', async () => {
    const progress = new Progress({ total: 3 })
    const seen: number[] = []
    setTimeout(() => progress.advance(3), 1)
    for await (const { count } of progress.watch({ interval: 0 })) seen.push(count)
    expect(seen).toEqual([0, 3])
  })
})

describe('S38 a listener', () => {
  it.each(['stop', 'signal'])('is not called once it was stopped (%s), whatever is on its way to it', async (how) => {
    const progress = new Progress({ total: 2 })
    const stopping = new AbortController()
    let called = 0
    const stop = progress.onChange(() => called++, { interval: 1, signal: stopping.signal })
    if (how === 'stop') stop()
    else stopping.abort()
    progress.advance(2)
    for await (const _ of progress.watch());
    expect(called).toBe(0)
  })

  it('may stop itself', async () => {
    const progress = new Progress({ total: 2 })
    let called = 0
    const stop = progress.onChange(() => {
      called++
      stop()
      progress.advance(2)
    })
    for await (const _ of progress.watch({ interval: 1 }));
    expect(called).toBe(1)
  })
})

describe('what cannot watch', () => {
  it('is refused at once, and so is an option that there is not', () => {
    for (const wrong of [{ intervall: 5 }, null, 5]) {
      expect(() => new Progress().watch(wrong as never)).toThrow(TypeError)
      expect(() => new Progress().onChange(() => {}, wrong as never)).toThrow(TypeError)
    }
    expect(() => new Progress().watch({ intervall: 5 } as never)).toThrow(/"intervall".* interval, signal/)
  })

  it('is refused at once', () => {
    const progress = new Progress()
    expect(() => progress.onChange(5 as never)).toThrow(TypeError)
    for (const interval of [Number.NaN, -1, '5' as never]) {
      expect(() => progress.watch({ interval })).toThrow(RangeError)
      expect(() => progress.onChange(() => {}, { interval })).toThrow(RangeError)
    }
  })
})

describe('done', () => {
  it('ends it, by using as well, and fills the part of a child', async () => {
    const progress = new Progress()
    {
      using part = progress.child({ share: 0.5 })
      part.advance()
    }
    expect(progress.value).toBe(500)
    progress.done()
    expect(progress.value).toBe(1000)
    for await (const now of progress.watch()) expect(now.done).toBe(true)
  })
})
