import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { marshal } from '@flatshare/core'
import { i32, settleExits } from '@flatshare/core/internal'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  allocateValue,
  collectGarbage,
  dropHandle,
  enterHeap,
  freeValue,
  HeapFullError,
  heapStatistics,
  intern,
  leaveHeap,
  limitHeap,
  makeBlock,
  objectAt,
  registerKind,
  registerType,
  retain,
  typeOfHandle,
  valueBytes,
} from '../../dist/heap/index.js'
import { bytesOf, classOf, MOST_SMALL, SIZE_CLASSES } from '../../dist/heap/size-classes.js'
import { CELLS, randomFrom, tableType, trade } from '../threads/heap-shop.js'

registerKind('test', { attach: () => ({}) })
const LEFT = 32
const RIGHT = 36
const TEXT = 40
const node = registerType({
  kind: 'test',
  name: 'node',
  layout: '',
  module: '',
  bytes: 44,
  refs: [LEFT, RIGHT],
  values: [TEXT],
  readers: [],
})

function inHeap<R>(fn: () => R): R {
  enterHeap()
  try {
    return fn()
  } finally {
    leaveHeap()
  }
}

/** A node that refers to others; gives its handle and address. */
function make(left = 0, right = 0): { handle: object; address: number } {
  const handle = {}
  const address = makeBlock(handle, node)
  inHeap(() => {
    for (const [offset, to] of [
      [LEFT, left],
      [RIGHT, right],
    ] as const) {
      if (to === 0) continue
      retain(to)
      i32[(address + offset) >> 2] = to
    }
    i32[(address + TEXT) >> 2] = allocateValue(100)
  })
  return { handle, address }
}

describe('size classes', () => {
  test('every size has the smallest class that holds it', () => {
    for (let bytes = 1; bytes <= MOST_SMALL; bytes++) {
      const index = classOf(bytes)
      expect(bytesOf(index)).toBeGreaterThanOrEqual(bytes)
      if (index > 0) expect(bytesOf(index - 1)).toBeLessThan(bytes)
    }
    expect(classOf(MOST_SMALL)).toBe(SIZE_CLASSES - 1)
  })

  test('no more than a fifth is wasted beyond 64 bytes', () => {
    for (let bytes = 65; bytes <= MOST_SMALL; bytes++) expect(bytesOf(classOf(bytes))).toBeLessThanOrEqual(bytes * 1.25)
  })
})

describe('blocks', () => {
  test('hold what was asked for, apart from each other, and are used again', () => {
    const random = randomFrom(7)
    const taken: [start: number, end: number][] = []
    // In one section: to a collection these blocks belong to nobody.
    inHeap(() => {
      const before = heapStatistics().bytesUsed
      for (let i = 0; i < 3000; i++) {
        const bytes = 1 + random(i % 50 === 0 ? 100_000 : 2000)
        const address = allocateValue(bytes)
        expect([address % 16, valueBytes(address) >= bytes]).toEqual([0, true])
        taken.push([address, address + valueBytes(address)])
      }
      const sorted = taken.toSorted(([a], [b]) => a - b)
      for (let i = 1; i < sorted.length; i++) expect(sorted[i]![0]).toBeGreaterThanOrEqual(sorted[i - 1]![1])
      const reserved = heapStatistics().bytesReserved
      for (const [address] of taken) freeValue(address)
      expect(heapStatistics().bytesUsed).toBe(before)
      for (const [start, end] of taken) freeValue(allocateValue(end - start))
      expect(heapStatistics().bytesReserved).toBeLessThanOrEqual(reserved)
    })
  })

  test('what is no object is not taken for one', () => {
    const { handle, address } = make()
    const value = inHeap(() => allocateValue(64))
    expect(typeOfHandle(address)).toMatchObject({ kind: 'test', name: 'node' })
    for (const wrong of [
      0,
      -16,
      1,
      address + 8,
      address + 16,
      value,
      1e9,
      2 ** 31,
      2 ** 40,
      NaN,
      0.5,
      '16',
      null,
      {},
    ]) {
      expect(typeOfHandle(wrong as number)).toBeUndefined()
    }
    dropHandle(handle)
    expect(typeOfHandle(address)).toBeUndefined()
    inHeap(() => freeValue(value))
  })
})

describe('objects', () => {
  test('go with the last who holds them, and with them what they alone held', () => {
    const { objects, bytesUsed } = heapStatistics()
    const shared = make()
    const parent = make(shared.address, make().address)
    expect(heapStatistics().objects).toBe(objects + 3)
    dropHandle(shared.handle)
    expect(heapStatistics().objects).toBe(objects + 3)
    dropHandle(parent.handle)
    // The other child has a handle that nobody dropped.
    expect(heapStatistics().objects).toBe(objects + 1)
    expect(heapStatistics().bytesUsed).toBeGreaterThan(bytesUsed)
  })

  test('a list of 100,000 ends with its first', () => {
    const { objects } = heapStatistics()
    let last = make()
    for (let i = 1; i < 100_000; i++) {
      const next = make(last.address)
      dropHandle(last.handle)
      last = next
    }
    expect(heapStatistics().objects).toBe(objects + 100_000)
    dropHandle(last.handle)
    expect(heapStatistics().objects).toBe(objects)
  })

  test('cycles are freed by a collection, and what is held is not', () => {
    collectGarbage()
    const { objects, bytesUsed } = heapStatistics()
    const kept = make()
    const [a, b] = [make(), make(kept.address)]
    inHeap(() => {
      retain(b.address)
      i32[(a.address + LEFT) >> 2] = b.address
      retain(a.address)
      i32[(b.address + RIGHT) >> 2] = a.address
    })
    dropHandle(a.handle)
    expect(collectGarbage()).toBe(0)
    dropHandle(b.handle)
    expect(heapStatistics().objects).toBe(objects + 3)
    expect(collectGarbage()).toBe(2)
    expect(heapStatistics().objects).toBe(objects + 1)
    intern(kept.address, kept.handle)
    expect(objectAt(kept.address)).toBe(kept.handle)
    dropHandle(kept.handle)
    expect(heapStatistics()).toMatchObject({ objects, bytesUsed })
  })

  test('a count that is too high is set right', () => {
    const { handle, address } = make()
    inHeap(() => retain(address))
    collectGarbage()
    dropHandle(handle)
    expect(typeOfHandle(address)).toBeUndefined()
  })
})

test('where memory is full the error says so, nothing is lost, and it goes on once there is room', () => {
  const { bytesUsed, bytesLimit } = heapStatistics()
  const kept = make()
  limitHeap(24 * 1024 * 1024)
  const taken: number[] = []
  try {
    inHeap(() => {
      expect(() => {
        for (;;) taken.push(allocateValue(50_000))
      }).toThrow(HeapFullError)
      expect(() => {
        for (;;) taken.push(allocateValue(5000))
      }).toThrow(/Shared memory is full.*Every object is as it was/)
      for (const address of taken.splice(0)) freeValue(address)
    })
    expect(typeOfHandle(kept.address)).toBeDefined()
    const more = inHeap(() => allocateValue(50_000))
    inHeap(() => freeValue(more))
  } finally {
    limitHeap(bytesLimit)
  }
  dropHandle(kept.handle)
  expect(heapStatistics().bytesUsed).toBe(bytesUsed)
  expect(() => limitHeap(5)).toThrow(RangeError)
})

test('a limit holds also where memory has grown beyond it, and leaves room for little', () => {
  const { bytesLimit, bytesReserved } = heapStatistics()
  limitHeap(1 << 20)
  try {
    expect(() => inHeap(() => freeValue(allocateValue(3_000_000)))).toThrow(HeapFullError)
    expect(heapStatistics().bytesReserved).toBe(bytesReserved)
  } finally {
    limitHeap(bytesLimit)
  }
})

describe('threads', () => {
  const stopping: Int32Array[] = []

  function startTrader(table: number, seed: number, times = 1e9) {
    const worker = new Worker(new URL('../threads/trader.js', import.meta.url))
    const stop = new Int32Array(new SharedArrayBuffer(4))
    stopping.push(stop)
    onTestFinished(() => void worker.terminate())
    const [packet, transferList] = marshal({})
    const begun = once(worker, 'message')
    worker.postMessage({ packet, table, times, seed, stop }, transferList)
    return { worker, begun, answer: () => once(worker, 'message') as Promise<[{ done?: number; error?: Error }]> }
  }

  test('four trade through one table, and nobody sees another’s bytes', { timeout: 60_000 }, async () => {
    collectGarbage()
    const { objects, bytesUsed } = heapStatistics()
    const handle = {}
    const table = makeBlock(handle, tableType())
    const traders = [1, 2, 3].map((seed) => startTrader(table, seed * 77, 20_000))
    await Promise.all(traders.map(({ begun }) => begun))
    const answers = traders.map(({ answer }) => answer())
    expect(trade(table, 5000, 5)).toBe(5000)
    for (const [{ done, error }] of await Promise.all(answers)) {
      if (error) throw error
      expect(done).toBe(20_000)
    }
    const ended = traders.map(({ worker }) => once(worker, 'exit'))
    for (const { worker } of traders) void worker.terminate()
    await Promise.all(ended)
    await settleExits()
    collectGarbage()
    // The table, its nodes, and those of which this thread has handles that nobody has collected yet.
    expect(heapStatistics().objects).toBeGreaterThan(objects)
    expect(heapStatistics().objects).toBeLessThanOrEqual(objects + 1 + CELLS + 5000)
    dropHandle(handle)
    collectGarbage()
    expect(heapStatistics().bytesUsed).toBeGreaterThanOrEqual(bytesUsed)
  })

  test('killed while they trade, they leave nothing that a collection does not find', { timeout: 60_000 }, async () => {
    const handle = {}
    const table = makeBlock(handle, tableType())
    const random = randomFrom(99)
    for (let round = 0; round < 6; round++) {
      const traders = [1, 2, 3].map((i) => startTrader(table, round * 10 + i))
      await Promise.all(traders.map(({ begun }) => begun))
      trade(table, random(400), round + 1)
      const ended = traders.map(({ worker }) => once(worker, 'exit'))
      for (const { worker } of traders) void worker.terminate()
      await Promise.all(ended)
      await settleExits()
      collectGarbage()
      expect(trade(table, 300, round + 100)).toBe(300)
    }
    collectGarbage()
    // All that is left hangs on the table, and on handles of this thread.
    dropHandle(handle)
    expect(collectGarbage()).toBeLessThanOrEqual(CELLS * 4)
  })
})
