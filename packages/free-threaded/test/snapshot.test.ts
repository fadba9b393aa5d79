import { AbandonedError, marshal } from '@flatshare/core'
import { FreeThreaded, heapStatistics, locked, Shared, snapshot } from '@flatshare/free-threaded'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { gate, open, pause } from './gates.js'
import { Range } from './range.js'
import { startThread } from './thread.js'

const rangeThread = () => startThread('./threads/range.js')
const untouched = { low: 0, high: 100, twice: 0n, isOdd: false, state: 'open', hits: 0 } as const

describe('snapshot', () => {
  test('has all scalars, and nothing else, in a frozen object', () => {
    const found = snapshot(new Range())
    expect(found).toEqual(untouched)
    expect(Object.isFrozen(found)).toBe(true)
    expectTypeOf(found.low).toBeNumber()
    expectTypeOf(found.state).toEqualTypeOf<'open' | 'shut'>()
    expectTypeOf<typeof found>().not.toHaveProperty('name')
    expectTypeOf<typeof found>().not.toHaveProperty('move')
    expect(() => snapshot({})).toThrow(/snapshot takes an object of a free-threaded class/)
  })

  test('shows what was before a method that is under way, without waiting', async () => {
    const range = new Range()
    const thread = rangeThread()
    const cell = gate()
    thread.order('holdMove', range, cell)
    await thread.answer()
    expect(range.low).toBe(1)
    expect(snapshot(range)).toEqual(untouched)
    expect(range.hit()).toBe(1)
    expect(snapshot(range)).toEqual({ ...untouched, hits: 1 })
    open(cell)
    await thread.answer()
    expect(snapshot(range)).toEqual({ low: 1, high: 101, twice: 2n, isOdd: true, state: 'shut', hits: 1 })
  })

  test('inside the object shows it as it is now', () => {
    for (const crossed of [false, true]) {
      const range = new Range()
      if (crossed) marshal(range)[0][Symbol.dispose]()
      range.moveAround(3, () => expect(snapshot(range)).toEqual({ ...untouched, low: 3, twice: 6n, isOdd: true }))
    }
  })

  test('shows what was before an async method of this thread', async () => {
    const range = new Range()
    const held = pause()
    const moved = range.moveAfter(5, held.promise)
    expect([range.low, snapshot(range).low]).toEqual([5, 0])
    held.end()
    await moved
    expect(snapshot(range)).toEqual({ low: 5, high: 105, twice: 10n, isOdd: true, state: 'shut', hits: 0 })
  })

  test('inside an async method shows it as it is now', async () => {
    @FreeThreaded()
    class Own {
      @Shared('i32') count = 0
      async look() {
        this.count++
        await Promise.resolve()
        return snapshot(this as Own).count
      }
    }
    expect(await new Own().look()).toBe(1)
  })

  test('is of one moment while others write', async () => {
    const range = new Range()
    const cell = gate()
    const readers = [rangeThread(), rangeThread()].map((thread) => thread.run('snapshots', range, cell))
    await Promise.all([rangeThread().run('move', range, 5000), rangeThread().run('moveAsync', range, 50)])
    open(cell)
    for (const looks of await Promise.all(readers)) expect(looks).toBeGreaterThan(0)
  })

  test('shows what was before a method that a thread died in, until a call takes the object over', async () => {
    const range = new Range()
    const thread = rangeThread()
    thread.order('dieMoving', range)
    await thread.ended
    expect(snapshot(range)).toEqual(untouched)
    expect(() => range.move(1)).toThrow(AbandonedError)
    expect(snapshot(range)).toEqual({ ...untouched, low: 1, twice: 2n, isOdd: true })
  })

  test('costs an object that has crossed no memory before somebody writes to it', () => {
    const ranges = Array.from({ length: 100 }, () => new Range())
    for (const range of ranges) range.width()
    const { bytesUsed } = heapStatistics()
    for (const range of ranges) marshal(range)[0][Symbol.dispose]()
    expect(heapStatistics().bytesUsed).toBe(bytesUsed)
    for (const range of ranges) expect(snapshot(range)).toEqual(untouched)
    ranges[0]!.hit()
    ranges[1]!.low = 5
    locked(ranges[2]!, (range) => {
      range.low = 1
      expect(snapshot(range).low).toBe(1)
    })
    expect(ranges.slice(0, 4).map((range) => [snapshot(range).low, snapshot(range).hits])).toEqual([
      [0, 1],
      [5, 0],
      [1, 0],
      [0, 0],
    ])
    const images = (heapStatistics().bytesUsed - bytesUsed) / 3
    expect(images).toBeGreaterThan(0)
    expect(images % 16).toBe(0)
  })

  test('a write from outside is in the next one', () => {
    const range = new Range()
    marshal(range)[0][Symbol.dispose]()
    range.low = 9
    range.state = 'shut'
    range.hits = 4_000_000_000
    range.twice = -(2n ** 63n)
    expect(snapshot(range)).toMatchObject({ low: 9, state: 'shut', hits: 4_000_000_000, twice: -(2n ** 63n) })
  })
})
