import { once } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { FlatshareError, marshal } from '@flatshare/core'
import { declareModel, runInFrame, settleExits } from '@flatshare/core/internal'
import { PerThread, ThreadAware, threadContext } from '@flatshare/thread-aware'
import { describe, expect, onTestFinished, test } from 'vitest'

class Cursor {
  position = 0
  ended = 0
  constructor(readonly of?: unknown) {}
  [Symbol.dispose]() {
    this.ended++
  }
}

/** Runs `fn` as a call from another thread is served. */
function callFrom<R>(caller: number, fn: () => R): R {
  const call = { caller, path: [], signal: new AbortController().signal, deadline: undefined }
  return runInFrame({ parent: undefined, call }, fn)
}

@ThreadAware()
class Table {
  @PerThread((table) => new Cursor(table)) cursor!: Cursor
  @PerThread() filter = 'none'
  rows = 10

  next() {
    return ++this.cursor.position
  }

  [Symbol.dispose]() {}
}

async function startCaller() {
  const worker = new Worker(new URL('./threads/caller.js', import.meta.url))
  onTestFinished(() => void worker.terminate())
  const [packet, transferList] = marshal(undefined)
  worker.postMessage(packet, transferList)
  const [id] = (await once(worker, 'message')) as [number]
  return { worker, id }
}

describe('S22 a context for each thread', () => {
  test('S22 is made at first use, for the thread that calls, and is its own', () => {
    const table = new Table()
    expect([table.next(), table.next(), callFrom(901, () => table.next()), table.next()]).toEqual([1, 2, 1, 3])
    expect(table.cursor.of).toBe(table)
    expect([table.filter, callFrom(901, () => table.filter)]).toEqual(['none', undefined])
    callFrom(901, () => {
      table.filter = 'mine'
    })
    expect([table.filter, callFrom(901, () => table.filter)]).toEqual(['none', 'mine'])
    expect(Object.keys(table)).toEqual(['rows'])
  })

  test.each(['end', 'terminate'])('S22 is disposed when its thread ends (%s), and only that one', async (ending) => {
    const table = new Table()
    const { worker, id } = await startCaller()
    const theirs = callFrom(id, () => table.cursor)
    const ours = table.cursor
    const ended = once(worker, 'exit')
    if (ending === 'end') worker.postMessage('end')
    else void worker.terminate()
    await ended
    // The supervisor may hear of it a little later than we do.
    while (theirs.ended === 0) {
      await turn()
      await settleExits()
    }
    expect([theirs.ended, ours.ended]).toEqual([1, 0])
    expect(table.cursor).toBe(ours)
  })

  test('S22 is disposed when the object is, all of them, after its own method', async () => {
    const log: string[] = []
    @ThreadAware()
    class Store {
      @PerThread(() => new Cursor()) cursor!: Cursor
      async [Symbol.asyncDispose]() {
        log.push(`in use: ${this.cursor.ended}`)
        await Promise.resolve()
        log.push(`still: ${this.cursor.ended}`)
      }
    }
    const store = new Store()
    const cursors = [store.cursor, callFrom(902, () => store.cursor)]
    await store[Symbol.asyncDispose]()
    expect(log).toEqual(['in use: 0', 'still: 0'])
    expect(cursors.map(({ ended }) => ended)).toEqual([1, 1])

    const table = new Table()
    const { cursor } = table
    table[Symbol.dispose]()
    expect(cursor.ended).toBe(1)
    expect(table.cursor).not.toBe(cursor)
  })

  test('S23 two objects have a context each', () => {
    const [one, two] = [new Table(), new Table()]
    expect([one.next(), one.next(), two.next()]).toEqual([1, 2, 1])
  })

  test('S23 without @ThreadAware one object has one state, whoever calls', () => {
    class Plain {
      position = 0
      next() {
        return ++this.position
      }
    }
    const plain = new Plain()
    expect([plain.next(), callFrom(903, () => plain.next())]).toEqual([1, 2])
  })
})

test('threadContext gives the fields of this thread, made', () => {
  const table = new Table()
  const context = threadContext<{ cursor: Cursor; filter: string }>(table)
  expect(Object.keys(context).sort()).toEqual(['cursor', 'filter'])
  expect(context.cursor).toBe(table.cursor)
  context.filter = 'new'
  expect(table.filter).toBe('new')
  expect(callFrom(904, () => threadContext(table))).not.toBe(context)
  expect(() => threadContext({})).toThrow(/Object has no per-thread fields/)
})

test('a per-thread field needs a thread-aware class, unless it is free-threaded', () => {
  class Apartment {
    @PerThread(() => 1) one!: number
  }
  declareModel(Apartment, 'apartment')
  expect(() => new Apartment()).toThrow(
    /Apartment\.one is @PerThread, but the class is not thread-aware: put @ThreadAware\(\) on it/,
  )
  class Free {
    @PerThread(() => 1) one!: number
  }
  declareModel(Free, 'free')
  expect(() => new Free()).not.toThrow()
})

test('it takes a field, and a function', () => {
  expect(() => PerThread(1 as never)({}, 'x')).toThrow(TypeError)
  expect(() => PerThread(() => 1)({}, 'x', { value() {} })).toThrow(FlatshareError)
  expect(() => ThreadAware({ perThread: { x: 1 as never } })(class {})).toThrow(TypeError)
})

test('accessors, subclasses, and a parent that is not decorated', () => {
  class Base {
    @PerThread(() => 'base') accessor name!: string
    @PerThread(() => [1]) list!: number[]
  }
  @ThreadAware()
  class Derived extends Base {
    @PerThread(() => 2) two = 3
    values() {
      return [this.name, this.list, this.two]
    }
  }
  const derived = new Derived()
  expect(derived.values()).toEqual(['base', [1], 3])
  expect(callFrom(905, () => derived.values())).toEqual(['base', [1], 2])
  class Below extends Derived {
    more = true
  }
  expect([new Below().values(), Object.keys(new Below())]).toEqual([['base', [1], 3], ['more']])
})

test('a description does what the decorators do', () => {
  class Described {
    cursor: any
    declare note: string
    next(): number {
      return ++this.cursor.position
    }
  }
  ThreadAware({ perThread: { cursor: () => new Cursor(), note: () => 'n' } })(Described)
  const described = new Described()
  expect([described.next(), callFrom(906, () => described.next()), described.next()]).toEqual([1, 1, 2])
  expect(described.note).toBe('n')
})

test('a factory that fails makes nothing', () => {
  let times = 0
  @ThreadAware()
  class Failing {
    @PerThread(() => {
      if (times++ === 0) throw new RangeError('on purpose')
      return times
    })
    value!: number
  }
  const failing = new Failing()
  expect(() => failing.value).toThrow(RangeError)
  expect([failing.value, failing.value]).toEqual([2, 2])
})
