import { MessagePort } from 'node:worker_threads'
import { Progress } from '@flatshare/progress'
import { describe, expect, it, onTestFinished } from 'vitest'
import { run, startThread } from './start-thread.js'

describe('S34 value', () => {
  it('never goes back, stays within the limits and is max only at the end', () => {
    const progress = new Progress({ min: 10, max: 20 })
    const seen = [3, 12, 11, 15, 15, -1, 99].map((value, i) => {
      progress.report(value, i, 100)
      return progress.value
    })
    expect(seen).toEqual([10, 12, 12, 15, 15, 15, 19])
    progress.report(20, 100, 100)
    expect(progress.value).toBe(20)
    progress.report(12, 0, 0)
    expect(progress.value).toBe(20)
  })

  it('takes max for the end where the numbers are unknown', () => {
    const progress = new Progress()
    progress.report(1000, 0, 0)
    expect(progress.value).toBe(1000)
  })

  it('S34 no report sends a message, watched or not', async () => {
    const progress = new Progress({ total: 1e6 })
    const heard: unknown[] = []
    const { postMessage } = MessagePort.prototype
    onTestFinished(() => void (MessagePort.prototype.postMessage = postMessage))
    MessagePort.prototype.postMessage = function (this: MessagePort, ...args: [unknown]) {
      heard.push(args[0])
      postMessage.apply(this, args)
    }
    const thread = startThread(progress, { do: 'count messages', times: 10_000 })
    const stop = new AbortController()
    const watching = (async () => {
      for await (const _ of progress.watch({ interval: 1, signal: stop.signal }));
    })()
    expect(await thread.next()).toBe('the one that is counted')
    expect(await thread.next()).toEqual([0, 1])
    heard.length = 0
    for (let i = 0; i < 10_000; i++) progress.advance()
    progress.child({ items: 10 }).advance(5)
    progress.cancel()
    stop.abort()
    await watching
    expect(heard).toEqual([])
  })

  it('S34 never goes back for readers that look all the time while four threads report', async () => {
    const progress = new Progress({ total: 40_000 })
    const parts = [1, 2, 3, 4].map(() => progress.child({ items: 10_000, total: 20_000 }))
    const readers = [progress, parts[0]].map((each) => startThread(each, { do: 'read until done' }))
    for (const reader of readers) expect(await reader.next()).toBe('started')
    await Promise.all(parts.map((part) => run(part, { do: 'advance', times: 20_000 })))
    for (const reader of readers) expect(await reader.next()).toEqual([])
    expect([progress.count, progress.value]).toEqual([40_000, 1000])
  })

  it('S34 counts that come with a value move nothing by themselves, whoever looks and advances beside', async () => {
    const progress = new Progress({ total: 1e6 })
    const reader = startThread(progress, { do: 'read until done' })
    expect(await reader.next()).toBe('started')
    await Promise.all([1, 2, 3].map(() => run(progress, { do: 'mix', times: 9000, total: 1e6 })))
    expect(progress.value).toBe(901)
    progress.done()
    expect(await reader.next()).toEqual([])
  })

  it('S34 is within the limits that it is shown with, while a thread changes them', async () => {
    const progress = new Progress({ total: 10 })
    progress.advance(5)
    const between: Array<[number, number]> = [
      [1, 1000],
      [2000, 3000],
      [-3000, -2000],
    ]
    const thread = startThread(progress, { do: 'change limits', between })
    expect(await thread.next()).toBe('started')
    const shown = new Set<string>()
    for (let i = 0; i < 3000; i++) {
      const looks = progress.watch()
      const { value: now } = await looks.next()
      shown.add(`${now.value} in ${now.min} to ${now.max}`)
      await looks.return?.()
    }
    progress.cancel()
    await thread.next()
    const possible = ['500 in 1 to 1000', '2500 in 2000 to 3000', '-2500 in -3000 to -2000']
    expect([...shown].filter((one) => !possible.includes(one))).toEqual([])
  })

  it('S35 a limit that is not given stays, while two threads change one each', async () => {
    const progress = new Progress({ min: 0, max: 1_000_000 })
    await Promise.all([
      run(progress, { do: 'raise a limit', which: 'min', from: -5000, times: 9000 }),
      run(progress, { do: 'raise a limit', which: 'max', from: 1_000_000, times: 9000 }),
    ])
    expect([progress.min, progress.max]).toEqual([4000, 1_009_000])
  })

  it('S34 a total that grows after somebody has looked takes nothing back', () => {
    const progress = new Progress()
    const first = progress.child({ items: 4, total: 8 })
    first.advance(6)
    const { value } = progress
    expect(value).toBe(750)
    progress.child({ items: 96 })
    expect(progress.value).toBe(750)
    progress.report(1, 0, 1000)
    progress.advance(3)
    expect([progress.value, progress.count]).toEqual([750, 6])
  })

  it('is exactly what was reported, for every value of any limits', () => {
    for (const [min, max] of [
      [1, 1000],
      [0, 7],
      [-5, 5],
      [0, 1 << 30],
    ] as const) {
      const step = Math.max(1, Math.floor((max - min) / 999))
      const progress = new Progress({ min, max })
      for (let value = min; value <= max; value += step) {
        progress.report(value)
        expect(progress.value).toBe(value)
      }
    }
  })

  it('clamps numbers and refuses what is none', () => {
    const progress = new Progress({ total: 10 })
    expect(progress.report(Number.NEGATIVE_INFINITY, -3, -3)).toBe(true)
    expect([progress.value, progress.count, progress.total]).toEqual([1, 0, 10])
    expect(progress.advance(-5)).toBe(true)
    expect(progress.advance(0.9)).toBe(true)
    expect(progress.count).toBe(0)
    progress.advance(Number.POSITIVE_INFINITY)
    expect([progress.value, progress.count]).toEqual([1000, 10])
    for (const wrong of [Number.NaN, '1', null, {}, 1n]) {
      expect(() => progress.advance(wrong as number)).toThrow(TypeError)
      expect(() => progress.report(wrong as number)).toThrow(TypeError)
      expect(() => progress.report(1, wrong as number, 1)).toThrow(TypeError)
      expect(() => progress.report(1, 1, wrong as number)).toThrow(TypeError)
    }
    expect(() => new Progress({ min: 5, max: 1 })).toThrow(RangeError)
    expect(() => new Progress({ min: 0.5 })).toThrow(RangeError)
    expect(() => new Progress({ max: 2 ** 31 })).toThrow(RangeError)
  })

  it.each([
    [7, 1, 1000],
    [5000, 1, 1000],
    [13, 0, 100],
    [1_000_000, 1, 1000],
  ])('is min + ⌊i·(max−min)/n⌋ for each of %i items', (total, min, max) => {
    const progress = new Progress({ total, min, max })
    const stride = total > 10_000 ? 997 : 1
    for (let i = stride; i < total; i += stride) {
      progress.advance(stride)
      const expected = min + Math.floor((i * (max - min)) / total)
      if (progress.value !== expected) expect([i, progress.value]).toEqual([i, expected])
    }
    progress.advance(total)
    expect([progress.value, progress.count]).toEqual([max, total])
  })

  it('sums four threads that report at once, exactly', async () => {
    const progress = new Progress({ total: 400_000 })
    await Promise.all([1, 2, 3, 4].map(() => run(progress, { do: 'advance', times: 100_000 })))
    expect([progress.count, progress.value]).toEqual([400_000, 1000])
  })

  it('is one short of the end by one item', async () => {
    const progress = new Progress({ total: 200_001 })
    await Promise.all([1, 2].map(() => run(progress, { do: 'advance', times: 100_000 })))
    expect([progress.count, progress.value]).toEqual([200_000, 999])
    progress.advance()
    expect(progress.value).toBe(1000)
  })

  it('is the greatest that any thread reported', async () => {
    const progress = new Progress()
    const rising = Array.from({ length: 900 }, (_, i) => i + 1)
    await Promise.all([
      run(progress, { do: 'report', values: rising }),
      run(progress, { do: 'report', values: [...rising].reverse() }),
      run(progress, { do: 'report', values: [950, 3] }),
    ])
    expect(progress.value).toBe(950)
  })

  it('counts beyond 32 bits from many threads', async () => {
    const total = 12_000_000_000
    const progress = new Progress({ total })
    const jobs = [1, 600_000, 2_999_999, 0x7fffff]
    await Promise.all(jobs.map((step) => run(progress, { do: 'advance', times: 1000, step })))
    expect(progress.count).toBe(jobs.reduce((sum, step) => sum + step * 1000, 0))
    expect(progress.value).toBe(1 + Math.floor((999 * progress.count) / total))
  })
})

describe('S35 the shape of MAPI', () => {
  it('has its limits, flags and method', () => {
    const progress = new Progress()
    expect([progress.getMin(), progress.getMax(), progress.getFlags()]).toEqual([1, 1000, 1])
    expect(progress.child({ share: 0.5 }).getFlags()).toBe(0)
    expect(progress.progress(100, 5, 10)).toBe(true)
    expect([progress.value, progress.count, progress.total]).toEqual([100, 5, 10])
    progress.progress(200, 0, 0)
    expect([progress.value, progress.count, progress.total]).toEqual([200, 5, 10])
    progress.setLimits(0, 100)
    expect([progress.min, progress.max]).toEqual([0, 100])
    expect(() => progress.setLimits(5, 4)).toThrow(RangeError)
    progress.setLimits(null, 50, 0)
    expect([progress.getMin(), progress.getMax(), progress.getFlags()]).toEqual([0, 50, 0])
    progress.setLimits(undefined, undefined, 1)
    expect([progress.getMin(), progress.getMax(), progress.getFlags()]).toEqual([0, 50, 1])
    expect(() => progress.setLimits(0, 50, 2)).toThrow(RangeError)
  })

  it('keeps label and total readable, 0 being unknown', () => {
    const progress = new Progress({ label: 'Größe \u{1F600}', total: 5000 })
    expect([progress.label, progress.total, progress.count, progress.value]).toEqual(['Größe \u{1F600}', 5000, 0, 1])
    expect(new Progress().total).toBe(0)
    expect(new Progress({ total: Number.POSITIVE_INFINITY }).total).toBe(0)
  })
})

describe('S11 a progress crosses as itself', () => {
  it('and is one object on each thread', async () => {
    const progress = new Progress({ label: 'shared' })
    const child = progress.child({ share: 0.5, label: 'part' })
    expect(await run(progress, { do: 'identity' }, { again: progress })).toEqual({
      same: true,
      isProgress: true,
      label: 'shared',
    })
    expect(await run(child, { do: 'identity' }, { again: progress })).toMatchObject({ same: false, label: 'part' })
  })
})
