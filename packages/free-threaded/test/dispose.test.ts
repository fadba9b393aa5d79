import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { marshal, unmarshal } from '@flatshare/core'
import {
  collectGarbage,
  dispose,
  FreeThreaded,
  heapStatistics,
  locked,
  nonBlocking,
  ref,
  Shared,
  type SharedArray,
  SharedMap,
} from '@flatshare/free-threaded'
import { describe, expect, test } from 'vitest'
import { Account } from './classes.js'
import { startThread } from './thread.js'

const objects = () => heapStatistics().objects

@FreeThreaded()
class Ticket {
  declare [Symbol.dispose]: () => void
  @Shared('string') title = ''
  @Shared(ref(() => Ticket)) next: Ticket | null = null

  rename(title: string) {
    this.title = title
  }
}

describe('a handle that was given up', () => {
  test('gives the memory back at once, with all that the object alone held', () => {
    const before = objects()
    {
      using first = new Ticket()
      first.rename('a')
      first.next = new Ticket()
      dispose(first.next)
      expect(objects()).toBe(before + 2)
    }
    expect(objects()).toBe(before)
  })

  test('is of no use, and says so', async () => {
    const account = new Account()
    account.deposit(1)
    dispose(account)
    dispose(account)
    for (const use of [
      () => account.deposit(1),
      () => account.balance,
      () => (account.balance = 1),
      () => account.doubled,
      () => locked(account, () => 1),
      () => marshal(account),
      () => new SharedMap({ key: 'string', value: ref(Account) }).set('a', account),
    ]) {
      expect(use).toThrow(/Account was disposed of/)
    }
    await expect(nonBlocking(account).deposit(1)).rejects.toThrow(/disposed of/)
    expect(() => dispose({})).toThrow(/dispose takes a free-threaded object/)
  })

  test('is not the object: other threads and other objects keep that', async () => {
    const before = objects()
    const account = new Account()
    const thread = startThread()
    expect(await thread.run('deposit', account, 5)).toBeDefined()
    const map = new SharedMap({ key: 'string', value: ref(Account) })
    map.set('a', account)
    dispose(account)
    const again = map.get('a')!
    expect(again).not.toBe(account)
    expect(again).toBe(map.get('a'))
    expect([again.balance, again instanceof Account]).toEqual([5, true])
    dispose(again)
    dispose(map)
    await thread.worker.terminate()
    await thread.ended
    while (objects() > before) await turn()
  })

  test('can’t be given up from inside, nor while its calls wait', async () => {
    const account = new Account()
    expect(() => account.depositAround(1, () => dispose(account))).toThrow(/inside one of its methods/)
    const { promise, resolve } = withResolvers()
    const deposit = account.depositAfter(1, promise)
    const queued = nonBlocking(account).deposit(1)
    expect(() => dispose(account)).toThrow(/await them first/)
    resolve()
    await Promise.all([deposit, queued])
    dispose(account)
  })
})

describe('a class’s own [Symbol.dispose]', () => {
  const order: string[] = []

  @FreeThreaded({ name: 'Base of a disposable' })
  class Base {
    @Shared('i32') n = 1;
    [Symbol.dispose]() {
      order.push(`base ${this.n}`)
    }
  }

  @FreeThreaded({ name: 'Disposable with its own' })
  class WithOwn extends Base {
    @Shared('i32') m = 2
    override [Symbol.dispose]() {
      super[Symbol.dispose]()
      order.push(`own ${this.n} ${this.m}`)
    }
  }

  @FreeThreaded({ name: 'Disposable without its own' })
  class Without extends Base {
    @Shared('i32') m = 2
  }

  test('runs first, once, and may use the object to its end', () => {
    for (const object of [new WithOwn(), new Without()]) {
      dispose(object)
      dispose(object)
      expect(() => object.n).toThrow(/disposed of/)
    }
    expect(order).toEqual(['base 1', 'own 1 2', 'base 1'])
  })
})

describe('a handle that nobody has any more', () => {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void

  @FreeThreaded({ name: 'Collected as garbage' })
  class Garbage {
    @Shared('string') text = ''
    @Shared('json') tags: unknown = []
    @Shared('u32[20]') votes!: SharedArray<number>
    @Shared(ref(Ticket)) ticket: Ticket | null = null
    @Shared(SharedMap) map: SharedMap<string, number> | null = null

    touch(i: number) {
      this.votes[3] = i
      this.text = `text ${i}`
      this.tags = { i }
      this.ticket = new Ticket()
      this.map = new SharedMap({ key: 'string', value: 'f64' }, [['a', i]])
      return [this.text, this.tags, this.votes[3], this.ticket.title, this.map.get('a')]
    }
  }

  test('is collected as garbage, whatever was read through it', async () => {
    gc()
    await turn()
    collectGarbage()
    const { objects: before, bytesUsed } = heapStatistics()
    for (let i = 0; i < 200; i++) new Garbage().touch(i)
    expect(objects()).toBeGreaterThan(before)
    while (objects() > before) {
      gc()
      await turn()
    }
    expect(heapStatistics().bytesUsed).toBeLessThanOrEqual(bytesUsed)
  })
})

test('what was unpacked and let go leaves nothing', () => {
  const before = objects()
  const ticket = new Ticket()
  ticket.rename('x')
  const [packet] = marshal(ticket)
  expect(heapStatistics().inFlight).toBe(1)
  dispose(ticket)
  expect(objects()).toBe(before + 1)
  const arrived = unmarshal<Ticket>(packet)
  expect([arrived === ticket, arrived.title]).toEqual([false, 'x'])
  dispose(arrived)
  expect(heapStatistics()).toMatchObject({ objects: before, inFlight: 0 })
  const [unused] = marshal(new Ticket())
  unused[Symbol.dispose]()
  collectGarbage()
  expect(heapStatistics().inFlight).toBe(0)
})

test('a table packet holds what it carries until it is disposed of', () => {
  const ticket = new Ticket()
  ticket.rename('x')
  const [packet] = marshal(ticket, { table: true })
  dispose(ticket)
  expect(unmarshal<Ticket>(packet)).toBe(unmarshal<Ticket>(packet))
  expect(unmarshal<Ticket>(packet).title).toBe('x')
  dispose(unmarshal<Ticket>(packet))
  expect(heapStatistics().inFlight).toBe(1)
  packet[Symbol.dispose]()
  packet[Symbol.dispose]()
  expect(heapStatistics().inFlight).toBe(0)
  expect(() => unmarshal(packet)).toThrow(/not on its way/)
})

function withResolvers() {
  let resolve!: () => void
  const promise = new Promise<void>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}
