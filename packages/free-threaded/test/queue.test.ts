import { inspect } from 'node:util'
import { FlatshareError, marshal, unmarshal } from '@flatshare/core'
import { settleExits } from '@flatshare/core/internal'
import { QueueClosedError, ref, SharedQueue, type SharedType } from '@flatshare/free-threaded'
import { Mutex, Signal } from '@flatshare/sync'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Account } from './classes.js'
import { linearise, type SequentialModel } from './linearisability.js'
import { startThread } from './thread.js'
import type { QueueOp, RecordedOp } from './threads/queues.js'

const start = () => startThread('./threads/queues.js')

const long = 'x'.repeat(70_000)
const boundaries: [SharedType, unknown[]][] = [
  ['i8', [-128, 0, 127]],
  ['u32', [0, 2 ** 32 - 1]],
  ['i64', [-(2n ** 63n), 2n ** 63n - 1n]],
  ['u64', [0n, 2n ** 64n - 1n]],
  ['f32', [0, 1.5, -Infinity]],
  ['f64', [-0, Number.MIN_VALUE, Number.NaN, Infinity]],
  ['bool', [true, false]],
  ['string', ['', 'a', 'ä\u{10ffff}', '\ud800', long]],
  ['bytes', [new Uint8Array(0), new Uint8Array([1, 2, 255]), new Uint8Array(100_000).fill(7)]],
  ['json', [null, 0, '', [], {}, { a: [1n, new Map([[1, new Set([2])]])], b: long }]],
  [
    ['open', 'closed'],
    ['open', 'closed'],
  ],
  ['u16[3]', [[1, 2, 65535]]],
]

describe('a shared queue', () => {
  test.each(boundaries)('of %j gives what was put in, on both sides', async (of, values) => {
    const queue = new SharedQueue({ of, capacity: 16 })
    const back = new SharedQueue({ of, capacity: 16 })
    const thread = start()
    const both = new SharedQueue<any>({ of: ref(SharedQueue), capacity: 2 })
    both.putSync(queue)
    both.putSync(back)
    thread.order('echo', both)
    for (const value of values) {
      expect(queue.tryPut(value)).toBe(true)
      expect(back.takeSync()).toEqual(value)
    }
    queue.close()
    await thread.answer()
  })

  test('is first in, first out, and bounded', () => {
    const queue = new SharedQueue({ of: 'f64', capacity: 3 })
    expect(queue.capacity).toBe(3)
    expect(queue.tryTake()).toBeUndefined()
    for (const round of [0, 10, 20, 30]) {
      for (const i of [1, 2, 3]) expect(queue.tryPut(round + i)).toBe(true)
      expect(queue.tryPut(4)).toBe(false)
      expect(queue.size).toBe(3)
      expect([queue.tryTake(), queue.takeSync()]).toEqual([round + 1, round + 2])
      expect([...queue]).toEqual([round + 3])
      expect(queue.drain()).toEqual([round + 3])
    }
  })

  test('does what an array does, whatever is done', () => {
    const action = fc.oneof(
      fc.record({ put: fc.oneof(fc.string({ unit: 'binary' }), fc.integer(), fc.constant(null)) }),
      fc.record({ drain: fc.nat(3) }),
      fc.constantFrom('take', 'look'),
    )
    const run = (capacity: number, actions: unknown[]) => {
      using queue = new SharedQueue<any>({ of: 'json', capacity })
      const model: unknown[] = []
      for (const one of actions as ('take' | 'look' | { put: unknown } | { drain: number })[]) {
        if (one === 'take') expect(queue.tryTake()).toEqual(model.shift())
        else if (one === 'look') expect([...queue]).toEqual(model)
        else if ('drain' in one) expect(queue.drain(one.drain)).toEqual(model.splice(0, one.drain))
        else {
          expect(queue.tryPut(one.put)).toBe(model.length < capacity)
          if (model.length < capacity) model.push(one.put)
        }
        expect(queue.size).toBe(model.length)
      }
    }
    fc.assert(fc.property(fc.integer({ min: 1, max: 5 }), fc.array(action, { maxLength: 60 }), run), { numRuns: 100 })
  })

  test('waits for elements and for room, in order', async () => {
    const queue = new SharedQueue({ of: 'string', capacity: 1 })
    const takers = [queue.take(), queue.take()]
    await queue.put('a')
    await queue.put('b')
    expect(await Promise.all(takers)).toEqual(['a', 'b'])
    queue.putSync('c')
    const putters = [queue.put('d'), queue.put('e')]
    expect(queue.tryPut('too early')).toBe(false)
    expect([queue.tryTake(), await queue.take(), await queue.take()]).toEqual(['c', 'd', 'e'])
    await Promise.all(putters)
    expect(queue.size).toBe(0)
  })

  test('gives up by timeout and by signal, and leaves no trace', async () => {
    const queue = new SharedQueue({ of: 'string', capacity: 1, name: 'jobs' })
    expect(() => queue.takeSync({ timeout: 1 })).toThrow(
      expect.objectContaining({ name: 'TimeoutError', message: 'Waited 1 ms for an element of queue "jobs".' }),
    )
    await expect(queue.take({ timeout: 0 })).rejects.toThrow(expect.objectContaining({ name: 'TimeoutError' }))
    const abort = new AbortController()
    const aborted = queue.take({ signal: abort.signal })
    const served = queue.take()
    abort.abort('enough')
    await expect(aborted).rejects.toBe('enough')
    queue.putSync('a')
    expect(await served).toBe('a')
    queue.putSync('b')
    expect(() => queue.putSync(long, { timeout: 1 })).toThrow('Waited 1 ms for room in queue "jobs".')
    await expect(queue.put(long, { timeout: 1 })).rejects.toThrow('Waited 1 ms for room in queue "jobs".')
    expect(queue.drain()).toEqual(['b'])
  })

  test('that is closed refuses what is put, and ends when nothing is left', async () => {
    const queue = new SharedQueue({ of: 'json', capacity: 2, name: 'jobs' })
    queue.putSync(1)
    queue.putSync(2)
    const late = queue.put(3)
    queue.close()
    queue.close()
    expect(queue.isClosed).toBe(true)
    await expect(late).rejects.toThrow(QueueClosedError)
    expect(() => queue.tryPut(4)).toThrow('The queue "jobs" is closed')
    expect(() => queue.putSync(4)).toThrow(QueueClosedError)
    const left: unknown[] = []
    for await (const element of queue) left.push(element)
    expect(left).toEqual([1, 2])
    expect([await queue.take(), queue.takeSync(), queue.tryTake()]).toEqual([undefined, undefined, undefined])
  })

  test('tells those who wait when it is closed', async () => {
    const queue = new SharedQueue({ of: 'json', capacity: 1 })
    const thread = start()
    const waiting = [queue.take(), queue.take()]
    queue.close()
    expect(await Promise.all(waiting)).toEqual([undefined, undefined])
    const full = new SharedQueue({ of: 'string', capacity: 1 })
    full.putSync('a')
    expect(await thread.run('putRefused', full)).toBe('begun')
    full.close()
    expect(await thread.answer()).toMatch(/queue #\d+ is closed/)
    expect(full.drain()).toEqual(['a'])
  })

  test('refuses what is no option, type or element', () => {
    const make = SharedQueue as unknown as new (options?: unknown) => SharedQueue<any>
    expect(() => new make()).toThrow(TypeError)
    expect(() => new make({ capacity: 1 })).toThrow('The element of a SharedQueue needs a type')
    expect(() => new make({ of: 'f65', capacity: 1 })).toThrow(FlatshareError)
    for (const capacity of [0, 1.5, 2 ** 24 + 1, '4', undefined]) {
      expect(() => new make({ of: 'f64', capacity })).toThrow(RangeError)
    }
    expect(() => new make({ of: 'f64', capacity: 1, name: 7 })).toThrow(TypeError)
    const queue = new SharedQueue({ of: 'u8', capacity: 1 })
    expect(() => queue.tryPut(256)).toThrow(RangeError)
    expect(() => queue.tryPut('1' as never)).toThrow(TypeError)
    expect(() => queue.putSync(1, { timeout: -1 })).toThrow(RangeError)
    expect(() => queue.drain(-1)).toThrow(RangeError)
    expect(queue.size).toBe(0)
    const values = new SharedQueue({ of: 'json', capacity: 1 })
    expect(() => values.tryPut(undefined)).toThrow("can't be undefined")
    expect(() => values.tryPut({ f() {} })).toThrow(FlatshareError)
    expect(values.size).toBe(0)
  })

  test('reads a value before it waits', async () => {
    const queue = new SharedQueue({ of: 'json', capacity: 1 })
    queue.putSync('first')
    const value = { changed: false }
    const put = queue.put(value)
    value.changed = true
    queue.takeSync()
    await put
    const taken = queue.takeSync() as object
    expect(taken).toEqual({ changed: false })
    expect(Object.isFrozen(taken)).toBe(true)
  })

  test('shows itself', () => {
    const queue = new SharedQueue({ of: 'string', capacity: 4, name: 'words' })
    queue.putSync('a')
    queue.putSync('b')
    expect(inspect(queue)).toBe(`SharedQueue(2 of 4) "words" [ 'a', 'b' ]`)
    expect(JSON.stringify(queue)).toBe('["a","b"]')
    expect(Object.prototype.toString.call(queue)).toBe('[object SharedQueue]')
    expect(queue.size).toBe(2)
    queue[Symbol.dispose]()
    expect(() => queue.size).toThrow('This SharedQueue was disposed of on this thread.')
  })

  test('crosses as itself, with its name, and in other objects', async () => {
    const queue = new SharedQueue({ of: 'string', capacity: 4, name: 'words' })
    expect(unmarshal(marshal(queue)[0])).toBe(queue)
    expect(queue).toBeInstanceOf(SharedQueue)
    expect(await start().run('same', queue)).toBe('words 4 0 false')
    const queues = new SharedQueue({ of: ref(SharedQueue), capacity: 1 })
    queues.putSync(queue)
    expect(queues.takeSync()).toBe(queue)
    expect(() => queues.putSync({} as never)).toThrow(TypeError)
  })

  test('holds objects and locks, as themselves', async () => {
    const thread = start()
    const accounts = new SharedQueue({ of: Account, capacity: 4 })
    const account = new Account()
    accounts.putSync(account)
    expect([...accounts][0]).toBe(account)
    expect(accounts.takeSync()).toBe(account)
    await thread.run('put', accounts, null)
    expect(accounts.takeSync()).toBeNull()
    const locks = new SharedQueue({ of: ref(Mutex), capacity: 1 })
    const mutex = new Mutex({ name: 'm' })
    locks.putSync(mutex)
    expect(locks.takeSync()).toBe(mutex)
  })
})

describe('between threads, a shared queue', () => {
  test('gives each element once, and those of one producer in order', { timeout: 60_000 }, async () => {
    const queue = new SharedQueue({ of: 'string', capacity: 5 })
    const count = 3000
    const consumers = ['consume', 'iterate', 'consumeAtOnce'].map((job) => start().run(job, queue))
    const producers = [1, 2].map((producer) => start().run('produce', queue, { producer, count }))
    await Promise.all(producers)
    queue.close()
    const taken = (await Promise.all(consumers)) as string[][]
    for (const each of taken.slice(0, 2)) {
      const last = [-1, -1, -1]
      for (const element of each) {
        const [producer, i] = element.split(' ').map(Number) as [number, number]
        expect(i).toBeGreaterThan(last[producer]!)
        last[producer] = i
      }
    }
    const all = taken.flat()
    expect(all.length).toBe(2 * count)
    expect(new Set(all).size).toBe(2 * count)
  })

  test('is linearisable', { timeout: 60_000 }, async () => {
    const capacity = 3
    const model: SequentialModel<readonly number[], QueueOp, unknown> = {
      initial: [],
      step(state, op, result) {
        if (op === 'size') return result === state.length ? state : undefined
        if (op === 'take') return result === (state[0] ?? null) ? state.slice(1) : undefined
        if (result === false) return state.length === capacity ? state : undefined
        return state.length < capacity ? [...state, op.put] : undefined
      },
      name: String,
    }
    const threads = [start(), start(), start()]
    for (let round = 1; round <= 10; round++) {
      const queue = new SharedQueue({ of: 'f64', capacity })
      const clock = new Int32Array(new SharedArrayBuffer(4))
      const histories = await Promise.all(
        threads.map((thread, i) => thread.run('record', queue, { clock, seed: round * 10 + i, calls: 150 })),
      )
      const history = (histories.flat() as RecordedOp[]).map((call) => ({ ...call, result: call.result ?? null }))
      expect(linearise(history, model)).toBeDefined()
    }
  })

  test('passes over an asynchronous waiter whose thread is blocked', async () => {
    const thread = start()
    const queue = new SharedQueue({ of: 'string', capacity: 2 })
    const done = new Signal()
    const first = queue.take()
    const other = thread.run('putOwn', queue, 'a').then((taken) => {
      done.set()
      return taken as string
    })
    // The other thread takes its own element, since this one is blocked until then: by its second message.
    const gate = new SharedQueue({ of: 'bool', capacity: 1 })
    const opener = start()
    const opened = opener.run('put', gate, true)
    gate.takeSync()
    await opened
    queue.putSync('b')
    const both = await Promise.all([first, other])
    expect([...both].sort()).toEqual(['a', 'b'])
    expect(done.isSet).toBe(true)
  })

  test.each(['takeSync', 'take'] as const)('goes on where a waiter dies in %s', async (how) => {
    const queue = new SharedQueue({ of: 'string', capacity: 1 })
    const thread = start()
    expect(await thread.run('waitForEver', queue, how)).toBe('begun')
    await thread.worker.terminate()
    queue.putSync('a')
    expect(await queue.take()).toBe('a')
  })

  test('forgets what a thread would have put that died waiting for room', async () => {
    const queue = new SharedQueue({ of: 'string', capacity: 1 })
    queue.putSync('a')
    const thread = start()
    expect(await thread.run('waitForEver', queue, 'put')).toBe('begun')
    await thread.worker.terminate()
    await settleExits()
    expect(queue.takeSync()).toBe('a')
    expect(['of the dead', undefined]).toContain(queue.tryTake())
    queue.putSync('b')
    expect(queue.takeSync()).toBe('b')
  })
})

test('the types of a shared queue follow from its options', () => {
  const numbers: SharedQueue<number> = new SharedQueue({ of: 'f64', capacity: 1 })
  const big: bigint | undefined = new SharedQueue({ of: 'i64', capacity: 1 }).tryTake()
  const doors = new SharedQueue({ of: ['open', 'closed'], capacity: 1 })
  doors.putSync('open')
  // @ts-expect-error: no such door
  expect(() => doors.putSync('ajar')).toThrow(RangeError)
  const jobs = new SharedQueue<{ url: string }>({ of: 'json', capacity: 1 })
  jobs.putSync({ url: 'u' })
  const job = jobs.takeSync()!
  // @ts-expect-error: what comes out is frozen
  expect(() => (job.url = 'v')).toThrow(TypeError)
  // @ts-expect-error: a number
  expect(() => numbers.putSync('1')).toThrow(TypeError)
  expect(big).toBeUndefined()
})
