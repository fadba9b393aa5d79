import { FreeThreaded, Guarded, locked, lockedAsync, nonBlocking, Shared, snapshot } from '@flatshare/free-threaded'
import { describe, expect, test } from 'vitest'
import { gate, open, openElsewhere, pause } from './gates.js'
import { Range } from './range.js'
import { startThread } from './thread.js'

const rangeThread = () => startThread('./threads/range.js')

describe('@Guarded', () => {
  test('methods of two groups run at the same time', async () => {
    const range = new Range()
    const thread = rangeThread()
    const cell = gate()
    thread.order('holdMove', range, cell)
    await thread.answer()
    expect([range.hit(), range.hit(), range.hits]).toEqual([1, 2, 2])
    range.hits = 7
    range.last = 'me'
    expect([range.hit(), range.last]).toEqual([8, 'me'])
    open(cell)
    await thread.answer()
    expect([range.low, range.hits]).toEqual([1, 8])
  })

  test('methods of one group exclude each other', async () => {
    const range = new Range()
    await Promise.all([1, 2, 3].map(() => rangeThread().run('hit', range, 5000)))
    expect(range.hits).toBe(15_000)
  })

  test('another group’s field takes that group’s lock to be written, and to be read where it is no scalar', async () => {
    const range = new Range()
    const thread = rangeThread()
    for (const touch of [() => range.resetHits(), () => void (range.last = 'x'), () => range.last]) {
      const cell = gate()
      thread.order('holdHit', range, cell)
      await thread.answer()
      expect(range.hits).toBeGreaterThan(0)
      openElsewhere(cell)
      touch()
      await thread.answer()
    }
    expect([range.hits, range.last]).toEqual([2, '2'])
  })

  test('locked takes all groups', async () => {
    const range = new Range()
    const thread = rangeThread()
    const cell = gate()
    thread.order('holdHit', range, cell)
    await thread.answer()
    openElsewhere(cell)
    expect(locked(range, () => range.last)).toBe('1')
    await thread.answer()
    const held = pause()
    const run = lockedAsync(range, async () => {
      await held.promise
      return range.hit()
    })
    expect(() => range.hit()).toThrow(/async method/)
    const hit = nonBlocking(range).hit()
    held.end()
    expect([await run, await hit]).toEqual([2, 3])
  })

  test('subclasses share their parent’s groups and add their own', () => {
    @FreeThreaded()
    class Base {
      @Shared('u8') plain = 1
      @Guarded('a') @Shared('u8') left = 2
      @Guarded('a') addLeft() {
        return ++this.left
      }
    }
    @FreeThreaded()
    class Derived extends Base {
      @Guarded('a') @Shared('u8') also = 3
      @Guarded('b') @Shared('f64') right = 4
      @Guarded('b') addRight() {
        return ++this.right + this.addLeft()
      }
    }
    const derived = new Derived()
    expect([derived.addRight(), derived.plain]).toEqual([8, 1])
    expect(snapshot(derived)).toEqual({ plain: 1, left: 3, also: 3, right: 5 })
    expect(() => Guarded('')).toThrow(TypeError)
  })
})
