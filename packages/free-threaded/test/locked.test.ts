import { setImmediate as turn } from 'node:timers/promises'
import { DeadlockError } from '@flatshare/core'
import { locked, lockedAsync, nonBlocking } from '@flatshare/free-threaded'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { Account } from './classes.js'
import { pause } from './gates.js'
import { Range } from './range.js'
import { startThread } from './thread.js'

describe('locked, with several objects', () => {
  test('S17 transfers in both directions on two threads come to an end, and lose nothing', async () => {
    const [mine, yours] = [new Range(), new Range()]
    const transfers = [
      { from: mine, to: yours, times: 1500 },
      { from: yours, to: mine, times: 2000 },
    ]
    await Promise.all(transfers.map((transfer) => startThread('./threads/range.js').run('transfer', transfer)))
    expect([mine.low, yours.low]).toEqual([500, -500])
  })

  test('gives them to the function in their order, typed, duplicates too', () => {
    const [account, range] = [new Account(), new Range()]
    const result = locked([range, account, range], (first, second, third) => {
      expectTypeOf(first).toEqualTypeOf<Range>()
      expectTypeOf(second).toEqualTypeOf<Account>()
      first.move(1)
      return second.deposit(third.low)
    })
    expect(result).toBe(1)
    expect(locked([], () => 'nothing')).toBe('nothing')
  })

  test('an error leaves all of them, and a promise is refused', async () => {
    const [account, range] = [new Account(), new Range()]
    const fail = () => {
      throw new RangeError('on purpose')
    }
    expect(() => locked([account, range], fail)).toThrow(RangeError)
    expect(() => locked([account, range], () => Promise.resolve())).toThrow(/gave a promise/)
    expect(() => locked([account, {}], () => 1)).toThrow(/locked takes an object/)
    expect(() => locked(account, undefined as never)).toThrow(TypeError)
    await startThread('./threads/range.js').run('move', range, 2)
    await startThread().run('deposit', account, 2)
    expect([account.balance, range.low]).toEqual([2, 2])
  })

  test('one of them in use by an async method leaves the others free', async () => {
    const [account, range] = [new Account(), new Range()]
    const held = pause()
    const deposit = account.depositAfter(1, held.promise)
    expect(() => locked([range, account], () => 1)).toThrow(DeadlockError)
    range.move(1)
    held.end()
    await deposit
    expect(locked([range, account], (range, account) => range.low + account.balance)).toBe(2)
  })
})

describe('lockedAsync', () => {
  test('holds across await, and lets in what it calls', async () => {
    const account = new Account()
    const held = pause()
    const run = lockedAsync(account, async (same) => {
      same.deposit(1)
      await held.promise
      await same.depositAfter(1, turn())
      account.balance *= 10
      return account.balance
    })
    expect(() => account.deposit(1)).toThrow(DeadlockError)
    const queued = nonBlocking(account).deposit(1)
    held.end()
    expect([await run, await queued]).toEqual([20, 21])
  })

  test('of several, in whatever order, comes to an end', async () => {
    const [a, b] = [new Account(), new Account()]
    const transfer = (from: Account, to: Account) =>
      lockedAsync([from, to], async (from, to) => {
        from.deposit(-1)
        await turn()
        to.deposit(1)
      })
    await Promise.all(Array.from({ length: 50 }, (_, i) => (i % 2 === 0 ? transfer(a, b) : transfer(b, a))))
    expect([a.balance, b.balance, a.calls]).toEqual([0, 0, 50])
  })

  test('an error leaves the locks', async () => {
    const account = new Account()
    await expect(lockedAsync([account], () => Promise.reject(new RangeError('no')))).rejects.toThrow(RangeError)
    await expect(lockedAsync({}, () => 1)).rejects.toThrow(/lockedAsync takes an object/)
    expect(account.deposit(1)).toBe(1)
  })
})
