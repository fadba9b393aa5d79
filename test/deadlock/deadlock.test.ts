/** S17 over calls and locks together. */
import { Apartment, blocking, type Remote } from '@flatshare/apartment'
import { Mutex, RwLock } from '@flatshare/sync'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Holder, Ledger } from './holding.js'

type Holding = typeof import('./holding.js')

const ROUNDS = 30

let apartments: Apartment<Holding>[]
let one: Remote<Holder>
let two: Remote<Holder>
let three: Remote<Holder>

beforeAll(async () => {
  apartments = []
  for (const name of ['one', 'two', 'three']) {
    apartments.push(await Apartment.open<Holding>(new URL('./holding.js', import.meta.url), { name }))
  }
  ;[one, two, three] = (await Promise.all(apartments.map((apartment) => apartment.create('Holder')))) as [
    Remote<Holder>,
    Remote<Holder>,
    Remote<Holder>,
  ]
})

afterAll(async () => {
  await Promise.all(apartments.map((apartment) => apartment.close()))
})

function meeting(threads: number): Int32Array {
  const arrivals = new Int32Array(new SharedArrayBuffer(8))
  arrivals[1] = threads
  return arrivals
}

describe('S17 a circle of calls and locks', () => {
  test('of one each: who waits for the lock is told, with both', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const lock = new Mutex()
      const arrivals = meeting(2)
      const [called, locked] = await Promise.all([one.holdAndCall(lock, arrivals, two), two.lock(lock, arrivals)])
      expect(called).toBe('touched')
      expect(locked).toMatch(/^DeadlockError/)
      expect(locked).toContain('"two" waits for mutex')
      expect(locked).toContain('held by "one"; "one" waits for Holder.touch(), called on "two"')
    }
  })

  test('over three threads', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const lock = new Mutex()
      const arrivals = meeting(3)
      const [first, second, third] = await Promise.all([
        one.holdAndCall(lock, arrivals, two),
        two.call(arrivals, three),
        three.lock(lock, arrivals),
      ])
      expect([first, second]).toEqual(['touched', 'touched'])
      expect(third).toMatch(/^DeadlockError/)
      expect(third).toContain(
        '"one" waits for Holder.touch(), called on "two"; "two" waits for Holder.touch(), called on "three"',
      )
    }
  })

  test('with the lock that a method of a free-threaded object holds, which is named', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const ledger = new Ledger()
      const arrivals = meeting(2)
      const [called, entered] = await Promise.all([
        one.enterAndCall(ledger, arrivals, two),
        two.enter(ledger, arrivals),
      ])
      expect(called).toBe('touched')
      expect(entered).toMatch(/^DeadlockError: .*"two" waits for .*Ledger.*, held by "one"/)
    }
  })

  test('with the main thread in it', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const lock = new Mutex()
      const arrivals = meeting(2)
      const locked = two.lock(lock, arrivals)
      const called = lock.runExclusiveSync(() => {
        Atomics.add(arrivals, 0, 1)
        Atomics.notify(arrivals, 0)
        return blocking(two).touch()
      })
      expect(called).toBe('touched')
      expect(await locked).toMatch(
        /^DeadlockError: .*held by "main"; "main" waits for Holder\.touch\(\), called on "two"/,
      )
    }
  })

  test('a callback that wants the lock of the one who waits for it is told at once', () => {
    const lock = new Mutex()
    const callback = () => lock.runExclusiveSync(() => 'never')
    expect(() => lock.runExclusiveSync(() => blocking(one).holdAndCallBack(new Mutex(), callback))).toThrow(
      expect.objectContaining({ name: 'DeadlockError' }),
    )
    expect(() => blocking(one).holdAndCallBack(lock, callback)).toThrow(
      expect.objectContaining({ name: 'DeadlockError' }),
    )
  })

  test('a callback that awaits the lock of the code that awaits it is told at once; a reentrant lock lets it in', async () => {
    const lock = new Mutex()
    await expect(lock.runExclusive(() => one.callBack(() => lock.runExclusive(() => 'never')))).rejects.toMatchObject({
      name: 'DeadlockError',
    })
    const rwlock = new RwLock()
    await expect(rwlock.runWriting(() => one.callBack(() => rwlock.write()))).rejects.toMatchObject({
      name: 'DeadlockError',
    })
    const reentrant = new Mutex({ reentrant: true })
    const both = reentrant.runExclusive(() => one.callBack(() => reentrant.runExclusive(() => 'both')))
    expect(await both).toBe('both')
  })

  test('a callback of other code of the same thread waits its turn', async () => {
    const lock = new Mutex()
    let leave = () => {}
    const left = new Promise<void>((resolve) => {
      leave = resolve
    })
    const order: string[] = []
    const holding = lock.runExclusive(async () => {
      await one.callBack(() => left)
      order.push('first')
    })
    let wants = () => {}
    const wanted = new Promise<void>((resolve) => {
      wants = resolve
    })
    const other = two.callBack(() => {
      wants()
      return lock.runExclusive(() => order.push('second'))
    })
    await wanted
    leave()
    await Promise.all([holding, other])
    expect(order).toEqual(['first', 'second'])
  })

  test('an answer leaves before its thread blocks on a lock', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const lock = new Mutex()
      const arrivals = meeting(1)
      expect(lock.runExclusiveSync(() => blocking(two).answerThenLock(lock, arrivals))).toBe('answered')
      expect(await two.touch()).toBe('touched')
      expect(arrivals[0]).toBe(1)
    }
  })
})
