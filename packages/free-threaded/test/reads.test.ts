import { setImmediate as turn } from 'node:timers/promises'
import { AbandonedError, DeadlockError, FlatshareError } from '@flatshare/core'
import { FreeThreaded, nonBlocking, Reads, Shared } from '@flatshare/free-threaded'
import { describe, expect, test } from 'vitest'
import { blocked, gate, open, openElsewhere, pause } from './gates.js'
import { Range } from './range.js'
import { startThread } from './thread.js'

const rangeThread = () => startThread('./threads/range.js')

describe('@Reads', () => {
  test('threads read at once, and a writer waits for all of them', async () => {
    const range = new Range()
    const [reader, writer] = [rangeThread(), rangeThread()]
    await writer.run('hit', range, 1)
    const cell = gate()
    reader.order('holdRead', range, cell)
    await reader.answer()
    // Would block for ever if readers kept each other out.
    expect([range.width(), range.top, range.describe(), range.name]).toEqual([100, 100, ': 100', ''])
    const moved = writer.run('block', range)
    await blocked()
    expect(range.low).toBe(0)
    open(cell)
    await moved
    expect(range.low).toBe(1)
  })

  test('a writer of this thread blocks until the readers of others have left', async () => {
    const range = new Range()
    const reader = rangeThread()
    const cell = gate()
    reader.order('holdRead', range, cell)
    await reader.answer()
    openElsewhere(cell)
    range.move(2)
    expect(range.low).toBe(2)
    expect(await reader.answer()).toBe(100)
  })

  test('readers never see what a writer has half done', async () => {
    const range = new Range()
    const cell = gate()
    const readers = [rangeThread(), rangeThread()].map((thread) => thread.run('gap', range, cell))
    await Promise.all([rangeThread().run('move', range, 3000), rangeThread().run('moveAsync', range, 100)])
    open(cell)
    for (const looks of await Promise.all(readers)) expect(looks).toBeGreaterThan(0)
    expect([range.low, range.width()]).toEqual([3100, 100])
  })

  test('what is inside, to write or to read, goes in to read', () => {
    const range = new Range()
    range.moveAround(2, () => expect([range.width(), range.describe()]).toEqual([98, ': 98']))
    expect(range.widthAround(() => expect([range.describe(), range.widthAround(() => {})]).toHaveLength(2))).toBe(100)
    expect(range.middle).toBe(52)
  })

  test('one that writes, or calls one that does, is refused by name, and leaves the lock', async () => {
    const range = new Range()
    expect(() => range.writes()).toThrow(FlatshareError)
    expect(() => range.writes()).toThrow(
      /Range\.writes is marked @Reads.*it writes Range\.low.*Remove @Reads from Range\.writes\.$/,
    )
    expect(() => range.names()).toThrow(/Range\.names is marked @Reads.*it writes Range\.name\./)
    expect(() => range.moves()).toThrow(
      /Range\.moves is marked @Reads.*it calls Range\.move, which locks it for writing/,
    )
    expect(() => range.widthAround(() => void (range.low = 5))).toThrow(/Range\.widthAround.*writes Range\.low/)
    await expect(range.moveInside(turn())).rejects.toThrow(/Range\.moveInside is marked @Reads.*calls Range\.move/)
    await expect(range.widthAfter(Promise.resolve()).then(() => range.moveInside(turn()))).rejects.toThrow(/@Reads/)
    expect([range.low, range.name]).toEqual([0, ''])
    expect(await rangeThread().run('move', range, 2)).toBeDefined()
    expect(range.low).toBe(2)
  })

  test('of a getter leaves the setter to write', () => {
    const range = new Range()
    range.wrongly = 7
    expect([range.low, range.top]).toEqual([7, 107])
  })

  test('async ones run at once; a sync writer of their thread is told the way out, which queues', async () => {
    const range = new Range()
    const [first, second] = [pause(), pause()]
    const reads = [range.widthAfter(first.promise), range.widthAfter(second.promise)]
    expect(range.width()).toBe(100)
    expect(() => range.move(1)).toThrow(DeadlockError)
    expect(() => range.move(1)).toThrow(/async @Reads method.*reads it.*await nonBlocking\(range\)\.move/)
    expect(() => (range.low = 1)).toThrow(DeadlockError)
    const moved = nonBlocking(range).move(1)
    first.end()
    await reads[0]
    expect(range.low).toBe(0)
    second.end()
    await Promise.all([moved, reads[1]])
    expect(await nonBlocking(range).width()).toBe(100)
    range.move(1)
    expect([range.low, await nonBlocking(range).name]).toEqual([2, 'from 2'])
  })

  test('what an async one has started and not awaited may write once it is over', async () => {
    const range = new Range()
    const over = pause()
    let late: Promise<void> | undefined
    await range.runsOn(() => {
      late = over.promise.then(() => range.move(1))
    })
    over.end()
    await late
    expect(range.low).toBe(1)
  })

  test('an async one on another thread keeps writers out', async () => {
    const range = new Range()
    const reader = rangeThread()
    const cell = gate()
    reader.order('holdReadAsync', range, cell)
    await reader.answer()
    const moved = nonBlocking(range).move(1)
    await turn()
    expect(range.low).toBe(0)
    const answer = reader.answer()
    open(cell)
    expect(await answer).toBe(100)
    await moved
    expect(range.low).toBe(1)
  })

  test('a reader that dies is none', async () => {
    const range = new Range()
    const reader = rangeThread()
    reader.order('dieReading', range)
    await reader.ended
    range.move(1)
    expect(range.low).toBe(1)
  })

  test('after a writer that died one reader is told, then the others read', async () => {
    const range = new Range()
    const writer = rangeThread()
    writer.order('dieMoving', range)
    await writer.ended
    expect(() => range.width()).toThrow(AbandonedError)
    expect(range.width()).toBe(99)
    range.high = 101
    range.state = 'shut'
    expect(range.gap()).toBe(100)
  })
})

describe('@Reads({ optimistic: true })', () => {
  test('sees no half-done change, and no error that comes of one', async () => {
    const range = new Range()
    const cell = gate()
    const reader = rangeThread().run('gap', range, cell)
    const writer = rangeThread().run('move', range, 5000)
    for (let i = 0; i < 2000; i++) expect([range.gap(), Number.isNaN(range.bottom)]).toEqual([100, false])
    await writer
    open(cell)
    expect(await reader).toBeGreaterThan(0)
  })

  test('goes in where this thread is inside, and waits where another one is', async () => {
    const range = new Range()
    range.moveAround(1, () => expect(() => range.gap()).toThrow(RangeError))
    const writer = rangeThread()
    const cell = gate()
    writer.order('holdMove', range, cell)
    await writer.answer()
    openElsewhere(cell)
    expect(range.gap()).toBe(100)
    await writer.answer()
  })

  test('one that writes, or calls one that does, is refused by name', () => {
    const range = new Range()
    expect(() => range.writesOptimistically()).toThrow(
      /Range\.writesOptimistically is marked @Reads.*writes Range\.high/,
    )
    expect(() => range.movesOptimistically()).toThrow(/Range\.movesOptimistically is marked @Reads.*calls Range\.move/)
    expect(() => range.fails()).toThrow(/on purpose/)
    expect([range.low, range.high]).toEqual([0, 100])
    range.move(1)
    expect(range.gap()).toBe(100)
  })

  test('is refused for an async method', () => {
    const refused = () => {
      @FreeThreaded()
      class Hasty {
        @Shared('i32') count = 0
        @Reads({ optimistic: true }) async later() {
          return this.count
        }
      }
      return Hasty
    }
    expect(refused).toThrow(/Hasty\.later can't be @Reads\(\{ optimistic: true \}\): it is async/)
    expect(() => Reads({ optimistic: 1 as never })).toThrow(TypeError)
  })
})

test('a subclass that adds the first reader to its parent’s group', async () => {
  @FreeThreaded()
  class Plain {
    @Shared('i32') count = 0
    add(during = () => {}) {
      during()
      return ++this.count
    }
  }
  @FreeThreaded()
  class Watched extends Plain {
    @Reads() look(during = () => {}) {
      during()
      return this.count
    }
  }
  const watched = new Watched()
  expect([watched.add(), watched.look()]).toEqual([1, 1])
  expect(() => watched.look(() => void watched.add())).toThrow(/Watched\.look is marked @Reads.*calls Plain\.add/)
  watched.add(() => expect(watched.look()).toBe(1))
  expect([new Plain().add(), watched.look()]).toEqual([1, 2])
})
