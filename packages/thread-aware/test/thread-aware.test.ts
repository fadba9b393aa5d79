import { once } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Worker } from 'node:worker_threads'
import { currentThread, FlatshareError, marshal } from '@flatshare/core'
import { declareModel, runInFrame, settleExits } from '@flatshare/core/internal'
import { contextsOf, PerThread, ThreadAware, threadContext } from '@flatshare/thread-aware'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'

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

/** Resolves when a worker has ended, by an error or not. */
function exitOf(worker: Worker): Promise<void> {
  return new Promise((resolve) => worker.once('exit', () => resolve()))
}

async function start() {
  const worker = new Worker(new URL('./threads/caller.js', import.meta.url))
  worker.on('error', () => {})
  const [packet, transferList] = marshal(undefined)
  worker.postMessage(packet, transferList)
  const [id] = (await once(worker, 'message')) as [number]
  return { worker, id }
}

async function startCaller() {
  const caller = await start()
  onTestFinished(() => void caller.worker.terminate())
  return caller
}

/** A caller that lives as long as the tests. */
let other: number

beforeAll(async () => {
  const { worker, id } = await start()
  other = id
  return () => worker.terminate()
})

describe('S22 a context for each thread', () => {
  test('S22 is made at first use, for the thread that calls, and is its own', () => {
    const table = new Table()
    expect([table.next(), table.next(), callFrom(other, () => table.next()), table.next()]).toEqual([1, 2, 1, 3])
    expect(table.cursor.of).toBe(table)
    expect([table.filter, callFrom(other, () => table.filter)]).toEqual(['none', undefined])
    callFrom(other, () => {
      table.filter = 'mine'
    })
    expect([table.filter, callFrom(other, () => table.filter)]).toEqual(['none', 'mine'])
    expect(Object.keys(table)).toEqual(['rows'])
  })

  test.each(['exit', 'throw', 'return', 'terminate'])(
    'S22 is disposed when its caller ends (%s), and only that one',
    async (ending) => {
      const table = new Table()
      const { worker, id } = await startCaller()
      const theirs = callFrom(id, () => table.cursor)
      const ours = table.cursor
      const ended = exitOf(worker)
      if (ending === 'terminate') void worker.terminate()
      else worker.postMessage(ending)
      await ended
      // The supervisor may hear of it a little later than we do.
      while (theirs.ended === 0) {
        await turn()
        await settleExits()
      }
      expect([theirs.ended, ours.ended]).toEqual([1, 0])
      expect(table.cursor).toBe(ours)
    },
  )

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
    const cursors = [store.cursor, callFrom(other, () => store.cursor)]
    await store[Symbol.asyncDispose]()
    expect(log).toEqual(['in use: 0', 'still: 0'])
    expect(cursors.map(({ ended }) => ended)).toEqual([1, 1])

    const table = new Table()
    const { cursor } = table
    table[Symbol.dispose]()
    expect(cursor.ended).toBe(1)
    expect(table.cursor).not.toBe(cursor)
  })

  test("S22 a callback runs on behalf of whoever calls it, and a record taken before is its own thread's", () => {
    const table = new Table()
    const mine = threadContext<{ cursor: Cursor; filter: string }>(table)
    const callback = () => [++mine.cursor.position, table.next()]
    expect([callFrom(other, callback), callFrom(other, callback), callback()]).toEqual([
      [1, 1],
      [2, 2],
      [3, 4],
    ])
    // It is the record that the field itself is kept in.
    callFrom(other, () => {
      mine.filter = 'mine'
    })
    table.cursor = new Cursor()
    expect([table.filter, mine.cursor === table.cursor]).toEqual(['mine', true])
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
    expect([plain.next(), callFrom(other, () => plain.next())]).toEqual([1, 2])
  })
})

test('threadContext gives the fields of this thread, made', () => {
  const table = new Table()
  const context = threadContext<{ cursor: Cursor; filter: string }>(table)
  expect(Object.keys(context).sort()).toEqual(['cursor', 'filter'])
  expect(context.cursor).toBe(table.cursor)
  context.filter = 'new'
  expect(table.filter).toBe('new')
  expect(callFrom(other, () => threadContext(table))).not.toBe(context)
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
  expect(callFrom(other, () => derived.values())).toEqual(['base', [1], 2])
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
  expect([described.next(), callFrom(other, () => described.next()), described.next()]).toEqual([1, 1, 2])
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

describe('S22 what ends a context', () => {
  test.each(['exit', 'throw', 'return'])(
    'S22 a thread that ends by itself (%s) disposes of its own',
    async (ending) => {
      const log = new Int32Array(new SharedArrayBuffer(12))
      const worker = new Worker(new URL('./threads/keeper.js', import.meta.url), { workerData: { log, ending } })
      onTestFinished(() => void worker.terminate())
      worker.on('error', () => {})
      await once(worker, 'message')
      expect([...log]).toEqual([0, 0, 0])
      worker.postMessage('end')
      await exitOf(worker)
      expect([...log]).toEqual([100, 100, 1])
    },
  )

  test('S22 asynchronous disposal is awaited, one after the other, the last made first', async () => {
    const log: string[] = []
    class Connection {
      constructor(readonly name: string) {}
      async [Symbol.asyncDispose]() {
        log.push(`${this.name} closes`)
        await turn()
        log.push(`${this.name} closed`)
      }
    }
    @ThreadAware()
    class Store {
      @PerThread(() => new Connection('a')) a!: Connection
      @PerThread(() => new Connection('b')) b!: Connection
      async [Symbol.asyncDispose]() {}
    }
    const store = new Store()
    void [store.a, store.b, callFrom(other, () => store.a)]
    await store[Symbol.asyncDispose]()
    expect(log).toEqual(['a closes', 'a closed', 'b closes', 'b closed', 'a closes', 'a closed'])
    expect(contextsOf(store)).toEqual([])
  })

  test('S22 what fails to be disposed of is told by the dispose of the object, and stops nothing', async () => {
    const ended: string[] = []
    const failing = (name: string) => ({
      [Symbol.dispose]() {
        ended.push(name)
        throw new RangeError(name)
      },
    })
    @ThreadAware()
    class Store {
      @PerThread(() => failing('one')) one!: object
      @PerThread(() => failing('two')) two!: object;
      [Symbol.dispose]() {}
      async [Symbol.asyncDispose]() {}
    }
    const store = new Store()
    void store.one
    expect(() => store[Symbol.dispose]()).toThrow('one')
    void [store.one, store.two]
    await expect(store[Symbol.asyncDispose]()).rejects.toMatchObject({
      errors: [{ message: 'two' }, { message: 'one' }],
    })
    expect(ended).toEqual(['one', 'two', 'one'])
    store[Symbol.dispose]()
  })

  test('S22 an inherited dispose counts, and the outermost one ends them', () => {
    class Base {
      [Symbol.dispose]() {}
    }
    @ThreadAware()
    class Parent extends Base {
      @PerThread(() => new Cursor()) cursor!: Cursor
    }
    @ThreadAware()
    class Child extends Parent {
      seen = -1
      override [Symbol.dispose]() {
        super[Symbol.dispose]()
        this.seen = this.cursor.ended
      }
    }
    const [parent, child] = [new Parent(), new Child()]
    const cursors = [parent.cursor, child.cursor]
    parent[Symbol.dispose]()
    child[Symbol.dispose]()
    expect([...cursors.map(({ ended }) => ended), child.seen]).toEqual([1, 1, 0])
  })

  test('S22 a call whose caller has ended meanwhile gets an error, not the context of somebody else', async () => {
    const table = new Table()
    const { worker, id } = await startCaller()
    const theirs = callFrom(id, () => table.cursor)
    await worker.terminate()
    while (theirs.ended === 0) {
      await turn()
      await settleExits()
    }
    expect(() => callFrom(id, () => table.cursor)).toThrow(
      expect.objectContaining({ name: 'DisconnectedError', message: expect.stringMatching(/"worker \d+", for which/) }),
    )
    expect(contextsOf(table).map(({ thread }) => thread.id)).toEqual([currentThread.id])
  })

  test('S22 no value keeps its object, and no thread its contexts', async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const refs: WeakRef<object>[] = []
    const fill = () => {
      for (let i = 0; i < 100; i++) {
        const table = new Table()
        refs.push(new WeakRef(callFrom(other, () => table.cursor)), new WeakRef(table.cursor), new WeakRef(table))
      }
    }
    fill()
    for (let round = 0; round < 10 && refs.some((ref) => ref.deref()); round++) {
      await turn()
      collect()
    }
    expect(refs.filter((ref) => ref.deref())).toEqual([])
  })
})

describe('S22 contextsOf', () => {
  test('shows what each thread has made, and makes nothing', () => {
    const table = new Table()
    const [home] = contextsOf(table)
    expect(home).toEqual({ thread: { id: currentThread.id, name: 'main' }, values: { filter: 'none' } })
    callFrom(other, () => {
      table.filter = 'theirs'
    })
    table.next()
    const contexts = contextsOf(table)
    expect(contexts).toEqual([
      { thread: { id: currentThread.id, name: 'main' }, values: { filter: 'none', cursor: table.cursor } },
      { thread: { id: other, name: `worker ${other}` }, values: { filter: 'theirs' } },
    ])
    expect(contexts.every((each) => Object.isFrozen(each) && Object.isFrozen(each.values))).toBe(true)
    expect(home!.values).toEqual({ filter: 'none' })
  })

  test('says so where there can be none', () => {
    expect(() => contextsOf({})).toThrow(/Object has no per-thread fields here/)
    for (const wrong of [null, undefined, 5]) expect(() => contextsOf(wrong as never)).toThrow(FlatshareError)
    class Unaware {
      @PerThread(() => 1) accessor one!: number
    }
    expect(() => contextsOf(Object.create(Unaware.prototype) as object)).toThrow(/put @ThreadAware\(\) on it/)
  })
})

test('a field may have the name of what every object has', () => {
  @ThreadAware()
  class Odd {
    @PerThread(() => 'made') override!: string
    @PerThread(() => () => 'mine') valueOf!: () => string
  }
  const odd = new Odd()
  expect([odd.override, odd.valueOf(), callFrom(other, () => odd.valueOf())]).toEqual(['made', 'mine', 'mine'])
})
