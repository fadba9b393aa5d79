import { inspect } from 'node:util'
import { marshal } from '@flatshare/core'
import {
  collectGarbage,
  dispose,
  FreeThreaded,
  HeapFullError,
  heapStatistics,
  limitHeap,
  locked,
  Reads,
  Shared,
} from '@flatshare/free-threaded'
import { afterEach, describe, expect, test } from 'vitest'
import { startThread } from './thread.js'
import { Arrays, adopted, Holder, Node, Values } from './value-classes.js'

const ALL = 2 ** 30

afterEach(() => limitHeap(ALL))

/** Leaves no room for a block of more than some hundred bytes. */
function fillHeap(): void {
  collectGarbage()
  limitHeap(heapStatistics().bytesReserved + (8 << 20))
  for (let size = 1 << 20; size >= 64; size = size >> 1) {
    for (;;) {
      const values = new Values()
      values.text = 'x'.repeat(size)
      try {
        adopted(values)
      } catch (error) {
        if (error instanceof HeapFullError) break
        throw error
      }
      kept.push(values)
    }
  }
}

const kept: object[] = []

describe('where the heap is full', () => {
  test('a new object stays as the constructor left it, and can be adopted later', () => {
    fillHeap()
    const values = new Values()
    values.text = 'y'.repeat(100_000)
    values.json = { list: [1] }
    const keys = Reflect.ownKeys(values)
    expect(() => values.both()).toThrow(HeapFullError)
    expect([values.text.length, values.json]).toEqual([100_000, { list: [1] }])
    expect(Reflect.ownKeys(values)).toEqual(keys)
    limitHeap(ALL)
    expect(values.both().length).toBe(200_000)
    expect(Reflect.ownKeys(values)).toEqual([])
    for (const object of kept.splice(0)) dispose(object)
  })

  test('a field keeps its value', () => {
    const values = adopted(new Values())
    values.text = 'kept'
    values.json = { kept: true }
    values.bytes = Uint8Array.of(1)
    const arrays = adopted(new Arrays())
    const head = adopted(new Node('head', new Node('second')))
    fillHeap()
    const large = 'z'.repeat(200_000)
    for (const change of [
      () => (values.text = large),
      () => (values.json = [large]),
      () => (values.bytes = new Uint8Array(200_000)),
      () => values.setTwice('first', large),
      () => {
        const long = new Node(large)
        head.next = long
      },
    ]) {
      expect(change).toThrow(HeapFullError)
    }
    expect([values.text, values.json, values.bytes]).toEqual(['first', { kept: true }, Uint8Array.of(1)])
    expect([head.names(), arrays.last]).toEqual(['head second', true])
    for (const object of kept.splice(0)) dispose(object)
  })
})

test('values that are replaced are freed, and all of an object with it', () => {
  const round = () => {
    const values = adopted(new Values())
    for (let i = 0; i < 200; i++) {
      values.text = `text ${i}`.repeat(i)
      values.json = { i, text: 'json'.repeat(i) }
      values.bytes = new Uint8Array(i)
    }
    const arrays = adopted(new Arrays())
    arrays.large.fill(1)
    const holder = new Holder()
    holder.push('a')
    holder.push('b')
    holder.node = new Node('instead', new Node('next'))
    const given = [values, arrays, holder]
    const { node } = holder
    const { next } = node!
    for (const object of [...given, node!, next!]) dispose(object)
  }
  round()
  collectGarbage()
  const before = heapStatistics()
  for (let i = 0; i < 20; i++) round()
  collectGarbage()
  const after = heapStatistics()
  // Nodes that `push` made have handles that only garbage collection gives up.
  expect(after.objects - before.objects).toBeLessThanOrEqual(40)
  expect(after.bytesUsed - before.bytesUsed).toBeLessThan(40 * 200)
})

test('an object that was disposed of says so', () => {
  const values = adopted(new Values())
  const { counts } = adopted(new Arrays())
  const gone = adopted(new Arrays())
  const small = gone.small
  dispose(gone)
  dispose(values)
  for (const use of [() => values.both(), () => values.text, () => (values.text = 'x'), () => values.number]) {
    expect(use).toThrow(/Values was disposed of on this thread/)
  }
  expect(() => marshal(values)).toThrow(/disposed of/)
  expect(() => small.get(0)).toThrow(/Arrays\.small can't be used: its object was disposed of/)
  expect(inspect(values)).toBe('Values <disposed of>')
  expect(counts.get(0)).toBe(0)
})

describe('how an object shows itself', () => {
  test('all kinds of fields', () => {
    const values = adopted(new Values())
    values.text = 'shown'
    values.json = { a: 1 }
    expect(inspect(values)).toBe("Values { bytes: Uint8Array(0) [], json: { a: 1 }, number: 0, text: 'shown' }")
    expect(JSON.parse(JSON.stringify(values))).toEqual({ bytes: {}, json: { a: 1 }, number: 0, text: 'shown' })
  })

  test('without waiting for who is inside', async () => {
    const values = new Values()
    values.text = 'taken'
    const thread = startThread('./threads/values.js')
    const cell = new Int32Array(new SharedArrayBuffer(4))
    thread.order('hold', values, cell)
    await thread.answer()
    expect(inspect(values)).toBe('Values { bytes: …, json: …, number: 0, text: … }')
    Atomics.store(cell, 0, 1)
    Atomics.notify(cell, 0)
    await thread.answer()
    expect(inspect(values)).toContain("text: 'taken'")
  })

  test('inside of its own method', () => {
    const values = adopted(new Values())
    expect(locked(values, () => inspect(values))).toContain("text: ''")
  })
})

test('a description says all that decorators say', () => {
  const mended: object[] = []
  class Described {
    n = 1
    hits = 0
    read() {
      return this.n
    }
    quick() {
      return this.n
    }
    hit() {
      return ++this.hits
    }
    *walk() {
      yield this.n
    }
  }
  const secret = Symbol('secret')
  FreeThreaded({
    name: 'DescribedWhole',
    module: import.meta.url,
    onAbandoned: (object) => mended.push(object as object),
    shared: { n: 'i32', hits: 'u32', [secret]: 'string' },
    reads: ['read'],
    optimistic: ['quick'],
    guarded: { hits: 'stats', hit: 'stats' },
    unlocked: ['walk'],
  })(Described)
  const described = new Described() as Described & { [secret]: string }
  described[secret] = 'symbol'
  expect([described.read(), described.quick(), described.hit(), ...described.walk()]).toEqual([1, 1, 1, 1])
  expect([described[secret], described.hits]).toEqual(['symbol', 1])
  expect(() => FreeThreaded({ module: 5 as never })(class Wrong {})).toThrow(/import\.meta\.url/)
  expect(() => FreeThreaded({ onAbandoned: 5 as never })(class Wrong {})).toThrow(TypeError)
})

test('a class whose fields take more than an object may', () => {
  const shared = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`a${i}`, 'u8[1000]' as const]))
  expect(() => FreeThreaded({ name: 'Large', shared })(class {})).toThrow(
    /Large take 9032 bytes.*at most 8192.*SharedVector/,
  )
})

test('subclasses keep the places and groups of their parents', () => {
  @FreeThreaded({ name: 'Base', guarded: { hits: 'stats' } })
  class Base {
    @Shared('u8') small = 1
    @Shared('u8') hits = 2
    @Reads() read() {
      return [this.small, this.hits]
    }
  }
  @FreeThreaded({ name: 'Derived', guarded: { more: 'stats', own: 'other' } })
  class Derived extends Base {
    @Shared('u8') more = 3
    @Shared('f64') own = 4
    @Shared('string') text = 'five'
    all() {
      return [...this.read(), this.more, this.own, this.text]
    }
  }
  expect(new Derived().all()).toEqual([1, 2, 3, 4, 'five'])
  expect(new Base().read()).toEqual([1, 2])
  expect(() => {
    @FreeThreaded({ name: 'Moved', guarded: { hits: 'other' } })
    class Moved extends Base {}
    return Moved
  }).toThrow(/Moved\.hits can't be guarded by 'other'.*'stats'/)
})
