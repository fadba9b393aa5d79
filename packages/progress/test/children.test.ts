import { Progress } from '@flatshare/progress'
import { describe, expect, it } from 'vitest'
import { run } from './start-thread.js'

const limits = ({ min, max }: Progress) => [min, max]

describe('S36 a child', () => {
  it('takes a part of the range, scaled so that it ends at exactly its max', () => {
    const progress = new Progress()
    const part = progress.child({ share: 0.4, total: 7 })
    expect(limits(part)).toEqual([1, 400])
    for (let i = 1; i <= 7; i++) {
      part.advance()
      expect(part.value).toBe(1 + Math.floor((i * 399) / 7))
    }
    expect([part.value, progress.value]).toEqual([400, 400])
    const rest = progress.child({ share: 0.6, total: 5000 })
    expect(limits(rest)).toEqual([400, 1000])
    for (let i = 1; i <= 5000; i++) rest.advance()
    expect([rest.value, progress.value]).toEqual([1000, 1000])
  })

  it('takes all that is left where nothing is said', () => {
    const progress = new Progress()
    progress.child({ share: 0.4 }).done()
    const rest = progress.child()
    expect(limits(rest)).toEqual([400, 1000])
    for (let i = 1; i <= 7; i++) rest.report(400 + Math.floor((i * 600) / 7), i, 7)
    expect([rest.value, progress.value]).toEqual([1000, 1000])
    const counted = new Progress({ total: 10 })
    counted.advance(2)
    counted.child({ items: 3 }).done()
    const last = counted.child()
    expect([last.total, limits(last)]).toEqual([5, [500, 1000]])
    last.advance(5)
    expect([counted.count, counted.value]).toEqual([10, 1000])
    expect(limits(counted.child())).toEqual([1000, 1000])
  })

  it('refuses what is no part', () => {
    const progress = new Progress()
    for (const wrong of [null, 5, 'half', { share: 'half' }, { share: Number.NaN }, { items: '3' }, { total: {} }]) {
      expect(() => progress.child(wrong as never)).toThrow(TypeError)
    }
    for (const wrong of [null, 5]) expect(() => new Progress(wrong as never)).toThrow(TypeError)
  })

  it('refuses options that there are not, and names those that there are', () => {
    const progress = new Progress()
    expect(() => progress.child({ shar: 0.1 } as never)).toThrow(/"shar" of child: .*share, items, total, label/)
    expect(() => new Progress({ totl: 10 } as never)).toThrow(/"totl" of Progress: .*total, label, min, max/)
    expect(() => new Progress({ total: 10, childs: undefined } as never)).toThrow(TypeError)
    // Nothing was taken.
    expect(progress.child().max).toBe(1000)
  })

  it.each([2 ** 30, 2 ** 30 + 1, 5e9, 1e10, 1e12, 2 ** 52])(
    'has its items counted exactly by its parent, of %d',
    (total) => {
      const progress = new Progress({ total })
      const [rest, part] = [1000, total - 1000].map((items) => progress.child({ items }))
      const below = part.child()
      let count = 0
      const check = (n: number) => {
        below.advance(n)
        count += n
        expect([part.count, progress.count]).toEqual([count, count])
      }
      for (const n of [1, 1, 7, 1000]) check(n)
      check(Math.floor(total / 2) - 2000)
      check(1)
      check(total - 1000 - count - 1)
      expect(part.value).toBeLessThan(part.max)
      check(1)
      expect(part.value).toBe(part.max)
      rest.advance(1000)
      expect([progress.count, progress.value]).toEqual([total, 1000])
    },
  )

  it.each([
    [1e12, 10],
    [1000, 3e12],
    [7e10, 3e11],
    [4, 2e12],
  ])('has %d items counted by its parent, never one before it is done, while it has %d itself', (taken, own) => {
    const progress = new Progress({ total: taken * 2 })
    const part = progress.child({ items: taken, total: own })
    for (let i = 0; i < 10; i++) {
      for (const n of [1, own / 10 - 2, 1]) {
        part.advance(n)
        expect(progress.count).toBe(Number((BigInt(taken) * BigInt(part.count)) / BigInt(own)))
      }
      if (own === 10) break
    }
    part.done()
    expect(progress.count).toBe(taken)
  })

  it.each([
    [99_991, 1_000_000],
    [1_000_000, 99_991],
    [7, 2 ** 30 - 1],
    [2 ** 30 - 1, 2 ** 30],
  ])('has %d items counted exactly where they do not go into its own %d', (taken, own) => {
    const progress = new Progress({ total: taken })
    const part = progress.child({ total: own })
    // What comes just before the end of an item of the parent's, and just after.
    for (let k = 1; k < 1000; k++) {
      const item = Math.max(1, Math.floor((k * taken) / 1000))
      const need = Number((BigInt(item) * BigInt(own) - 1n) / BigInt(taken)) + 1
      for (const count of [need - 1, need]) {
        if (count < part.count || count >= own) continue
        part.advance(count - part.count)
        expect([count, progress.count]).toEqual([count, Number((BigInt(taken) * BigInt(count)) / BigInt(own))])
      }
    }
    part.done()
    expect([progress.count, progress.value]).toEqual([taken, 1000])
  })

  it('is counted to the last item where shares of many items are no whole numbers', () => {
    for (const n of [3, 7, 49]) {
      const progress = new Progress({ total: 1e11 + 1 })
      const parts = Array.from({ length: n }, () => progress.child({ share: 1 / n }))
      for (const part of parts) {
        expect(progress.value).toBeLessThan(1000)
        part.advance(5e8)
        expect(progress.count % 1).toBe(0)
        part.done()
      }
      expect([progress.count, progress.value]).toEqual([1e11 + 1, 1000])
    }
  })

  it('leaves to its parent what it had counted, also when it was cancelled at its last item', () => {
    const progress = new Progress({ total: 2e12 })
    const part = progress.child({ items: 1e12 })
    part.advance(1e12 - 1)
    part.cancelPart()
    part.advance(1)
    expect(progress.count).toBe(1e12 - 1)
  })

  it('takes its share of the items where their number is known', () => {
    const progress = new Progress({ total: 5000 })
    const part = progress.child({ share: 0.4 })
    expect(part.total).toBe(2000)
    for (let i = 0; i < 1000; i++) part.advance()
    expect([part.count, progress.count, progress.value]).toEqual([1000, 1000, 1 + Math.floor((999 * 1000) / 5000)])
  })

  it('takes items, moves its parent as its parent would move itself, and stands beside its own reports', () => {
    const progress = new Progress({ total: 10 })
    progress.advance(3)
    const part = progress.child({ items: 7 })
    expect(limits(part)).toEqual([300, 1000])
    for (let i = 4; i <= 10; i++) {
      part.advance()
      expect([progress.count, progress.value]).toEqual([i, 1 + Math.floor((i * 999) / 10)])
    }
  })

  it('may have more items of its own than it takes of its parent', () => {
    const folders = new Progress({ total: 2 })
    const inbox = folders.child({ items: 1, total: 500 })
    for (let i = 0; i < 250; i++) inbox.advance()
    expect([folders.count, folders.value]).toEqual([0, 1 + Math.floor(999 / 4)])
    inbox.advance(250)
    expect([folders.count, folders.value]).toEqual([1, 500])
    folders.child({ items: 1, total: 3 }).done()
    expect([folders.count, folders.value]).toEqual([2, 1000])
  })

  it('lets a total that was never given grow', () => {
    const progress = new Progress()
    const parts = [3, 4].map((items) => progress.child({ items }))
    expect(progress.total).toBe(7)
    for (const part of parts) while (part.value < part.max) part.advance()
    expect([progress.count, progress.value]).toEqual([7, 1000])
  })

  it('ends its parent at exactly max for shares that rounding breaks', () => {
    for (const n of [3, 7, 10, 49, 333]) {
      const progress = new Progress()
      for (let i = 0; i < n; i++) {
        expect(progress.value).toBeLessThan(1000)
        progress.child({ share: 1 / n, total: 11 }).advance(11)
      }
      expect(progress.value).toBe(1000)
      const counted = new Progress({ total: 5 })
      for (let i = 0; i < n; i++) {
        expect(counted.value).toBeLessThan(1000)
        counted.child({ share: 1 / n }).done()
      }
      expect([counted.value, counted.count]).toEqual([1000, 5])
    }
  })

  it('cannot clobber the limits of its parent, whatever it reports', () => {
    const progress = new Progress({ total: 10 })
    const part = progress.child({ items: 5 })
    part.setLimits(-100, 100)
    part.report(1_000_000, 900, 900)
    part.advance(1e9)
    expect(limits(progress)).toEqual([1, 1000])
    expect(limits(part)).toEqual([-100, 100])
    expect([part.value, progress.value, progress.count]).toEqual([100, 500, 5])
  })

  it('takes what is left where parents promised more than they have', () => {
    const progress = new Progress({ total: 10 })
    const parts = [8, 8, 8].map((items) => progress.child({ items }))
    expect(parts.map(limits)).toEqual([
      [1, 800],
      [800, 1000],
      [1000, 1000],
    ])
    for (const part of parts) {
      expect(progress.count).toBeLessThanOrEqual(10)
      part.advance(8)
    }
    expect(progress.value).toBe(1000)
  })

  it('moves at any depth, also where a part is too small for a value of its own', () => {
    let deepest = new Progress()
    const top = deepest
    for (let depth = 0; depth < 6; depth++) deepest = deepest.child({ share: 0.5 })
    const leaf = deepest.child({ items: 1000 })
    for (let i = 0; i < 1000; i++) leaf.advance()
    expect(top.value).toBe(1 + Math.floor(999 / 64))
    const narrow = new Progress({ min: 0, max: 1 })
    const first = narrow.child({ share: 0.5 })
    expect(limits(first)).toEqual([0, 0])
    expect(first.report(0, 5, 10)).toBe(true)
    expect([narrow.value, first.count]).toEqual([0, 5])
  })

  it('runs beside others on four threads, and all sum to exactly max', async () => {
    const progress = new Progress({ total: 4000 })
    const parts = [1, 2, 3, 4].map(() => progress.child({ items: 1000, total: 10_000 }))
    const reported = parts.map((part) => run(part, { do: 'advance', times: 10_000 }))
    let last = 0
    for await (const { value } of progress.watch({ interval: 1 })) {
      expect(value).toBeGreaterThanOrEqual(last)
      last = value
    }
    await Promise.all(reported)
    expect([progress.count, progress.value, ...parts.map(({ value }) => value)]).toEqual([
      4000, 1000, 250, 500, 750, 1000,
    ])
  })

  it('has many items counted exactly while four threads report', async () => {
    const progress = new Progress({ total: 4e12 })
    const part = progress.child({ items: 3e12 })
    const steps = [1, 1000, 999_999, 0x7fffff]
    await Promise.all(steps.map((step) => run(part, { do: 'advance', times: 2000, step })))
    const sum = steps.reduce((sum, step) => sum + step * 2000, 0)
    expect([part.count, progress.count]).toEqual([sum, sum])
    part.advance(3e12 - sum - 1)
    expect(progress.count).toBe(3e12 - 1)
    part.advance()
    expect([part.value, progress.count]).toEqual([part.max, 3e12])
  })

  it('can be made on any thread', async () => {
    const progress = new Progress({ total: 4 * 50 * 20 })
    await Promise.all([1, 2, 3, 4].map(() => run(progress, { do: 'children', parts: 50, items: 20 })))
    expect([progress.count, progress.value]).toEqual([4000, 1000])
  })

  it('is one item short together with its parent', async () => {
    const progress = new Progress({ total: 40 })
    const parts = [1, 2, 3, 4].map(() => progress.child({ items: 10, total: 10_000 }))
    await Promise.all(parts.map((part, i) => run(part, { do: 'advance', times: i === 0 ? 9_999 : 10_000 })))
    expect([progress.count, progress.value]).toEqual([39, 999])
    parts[0].advance()
    expect([progress.count, progress.value]).toEqual([40, 1000])
  })
})
