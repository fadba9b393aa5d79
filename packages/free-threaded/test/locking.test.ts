import { setImmediate as turn } from 'node:timers/promises'
import { AbandonedError, currentThread, DeadlockError, FlatshareError, marshal } from '@flatshare/core'
import { livingThreads, parkedAt } from '@flatshare/core/internal'
import { FreeThreaded, locked, nonBlocking, Shared, Unlocked } from '@flatshare/free-threaded'
import { describe, expect, test } from 'vitest'
import { Account } from './classes.js'
import { startThread } from './thread.js'

const gate = () => new Int32Array(new SharedArrayBuffer(4))
function open(cell: Int32Array, state = 1): void {
  Atomics.store(cell, 0, state)
  Atomics.notify(cell, 0)
}

describe('S3 the lock', () => {
  test('S3 deposits of four threads, sync, async and non-blocking, are all there', async () => {
    const account = new Account()
    await Promise.all([1, 2, 3, 4].map(() => startThread().run('mixed', account, 300)))
    expect(account.balance).toBe(1200)
  })

  test('S3 100,000 deposits of each of four threads are all there', { timeout: 60_000 }, async () => {
    const account = new Account()
    await Promise.all([1, 2, 3, 4].map(() => startThread().run('deposit', account, 100_000)))
    expect([account.balance, account.calls]).toEqual([400_000, 400_000])
  })

  test('S3 a write from outside waits for a method to end', async () => {
    const account = new Account()
    const thread = startThread()
    const cell = gate()
    thread.order('hold', account, cell)
    await thread.answer()
    // Another thread opens the gate while this one blocks.
    const opener = startThread('./threads/opener.js')
    opener.worker.postMessage(cell)
    account.balance = 50
    expect([account.balance, account.calls]).toEqual([50, 1])
    await thread.answer()
  })

  test('a sync call blocks until the method of another thread ends', async () => {
    const account = new Account()
    const thread = startThread()
    const cell = gate()
    thread.order('hold', account, cell)
    await thread.answer()
    const opener = startThread('./threads/opener.js')
    opener.worker.postMessage(cell)
    expect(account.deposit(1)).toBe(2)
    expect(account.calls).toBe(2)
  })

  test('an error releases the lock', async () => {
    const account = new Account()
    expect(() =>
      account.depositAround(1, () => {
        throw new RangeError('on purpose')
      }),
    ).toThrow(RangeError)
    await startThread().run('deposit', account, 10)
    expect(account.balance).toBe(11)
  })

  test('what is inside goes in again', () => {
    const account = new Account()
    account.depositAround(1, () => {
      account.deposit(1)
      account.balance += 1
      expect(account.doubled).toBe(6)
    })
    expect(account.balance).toBe(3)
  })

  test('locked makes several calls one, and is synchronous', async () => {
    const account = new Account()
    expect(locked(account, (same) => same === account && account.deposit(1))).toBe(1)
    expect(() => locked(account, () => Promise.resolve(1))).toThrow(/locked\(\) gave a promise/)
    expect(() => locked({}, () => 1)).toThrow(FlatshareError)
    await startThread().run('deposit', account, 1)
    expect(account.balance).toBe(2)
  })
})

describe('a thread that dies inside', () => {
  test.each(['dieInside', 'dieAwaiting'])('%s: the next call throws once, and does not hang', async (job) => {
    const account = new Account()
    const { order, ended } = startThread()
    order(job, account)
    await ended
    expect(() => account.deposit(1)).toThrow(AbandonedError)
    const before = account.balance
    expect(account.deposit(1)).toBe(before + 1)
    await startThread().run('deposit', account, 10)
    expect(account.balance).toBe(before + 11)
  })

  test('terminated while it holds and another one blocks', async () => {
    const account = new Account()
    const [holder, blocked] = [startThread(), startThread()]
    expect(await blocked.run('isInstance', account)).toBe(true)
    holder.order('hold', account, gate())
    await holder.answer()
    const outcome = blocked.run('block', account).catch((error: Error) => error)
    await holder.worker.terminate()
    expect(await outcome).toMatchObject({ message: expect.stringContaining('Account.deposit did not run') })
    expect(account.deposit(0)).toBe(1)
  })

  test('the non-blocking way too', async () => {
    const account = new Account()
    const { order, ended } = startThread()
    order('dieInside', account)
    await ended
    await expect(nonBlocking(account).deposit(1)).rejects.toThrow(AbandonedError)
    expect(await nonBlocking(account).deposit(1)).toBe(2)
  })
})

describe('async methods', () => {
  test('hold the lock across await: others of their thread queue, in order', async () => {
    const account = new Account()
    const order: number[] = []
    const pauses = [withResolvers(), withResolvers(), withResolvers()]
    const calls = pauses.map(({ promise }, i) => account.depositAfter(1, promise).then(() => order.push(i)))
    for (const { resolve } of pauses.reverse()) {
      resolve()
      await turn()
    }
    await Promise.all(calls)
    expect([account.balance, order]).toEqual([3, [0, 1, 2]])
  })

  test('S18 a sync call from elsewhere on the thread throws, naming the way out', async () => {
    const account = new Account()
    const { promise, resolve } = withResolvers()
    const deposit = account.depositAfter(1, promise)
    expect(() => account.deposit(1)).toThrow(DeadlockError)
    expect(() => account.deposit(1)).toThrow(/await nonBlocking\(account\)\.deposit/)
    expect(() => (account.balance = 1)).toThrow(/nonBlocking\(account\)\.method\(…\), with a method that does it/)
    expect(() => locked(account, () => 1)).toThrow(DeadlockError)
    expect(() => account.doubled).toThrow(DeadlockError)
    expect([account.balance, account.peek()]).toEqual([0, 0])
    const queued = nonBlocking(account).deposit(5)
    resolve()
    expect([await deposit, await queued]).toEqual([1, 6])
    expect(account.deposit(1)).toBe(7)
  })

  test('S16 calls from inside go in, siblings one after the other', async () => {
    const account = new Account()
    expect(await account.pair(() => turn())).toEqual([1, 2])
    expect(await Promise.all([account.pair(() => turn()), account.pair(() => turn())])).toEqual([
      [3, 4],
      [5, 6],
    ])
  })

  test('a call that was started and not awaited keeps the lock', async () => {
    const account = new Account()
    const { promise, resolve } = withResolvers()
    await account.forgets(promise)
    expect(() => account.deposit(1)).toThrow(DeadlockError)
    resolve()
    expect(await nonBlocking(account).deposit(1)).toBe(2)
    expect(account.deposit(1)).toBe(3)
  })

  test('a call that a sync method started begins when that has ended', async () => {
    const account = new Account()
    const started = account.startsFrom(turn())
    expect(account.balance).toBe(10)
    expect(await started.promise).toBe(11)
  })

  test('an error releases the lock', async () => {
    const account = new Account()
    await expect(account.fails(turn())).rejects.toThrow(RangeError)
    expect(account.deposit(1)).toBe(1)
  })

  test('on two threads exclude each other', async () => {
    const account = new Account()
    const { promise, resolve } = withResolvers()
    const deposit = account.depositAfter(1, promise)
    const there = startThread().run('deposit', account, 5)
    const me = currentThread.id
    while (!livingThreads().some((id) => id !== me && parkedAt(id) !== 0)) await turn()
    expect([account.balance, account.calls]).toEqual([0, 0])
    resolve()
    await Promise.all([deposit, there])
    expect([account.balance, account.calls]).toEqual([6, 6])
  })
})

test('S17 two threads that block on each other’s objects: one of them gets a DeadlockError', async () => {
  const [ours, theirs] = [new Account(), new Account()]
  const thread = startThread()
  const cell = gate()
  const crossed = thread.run('cross', { ours, theirs, cell })
  Atomics.wait(cell, 0, 0)
  const errors: string[] = []
  locked(ours, () => {
    open(cell, 2)
    try {
      theirs.deposit(1)
    } catch (error) {
      expect(error).toBeInstanceOf(DeadlockError)
      errors.push(String(error))
    }
  })
  const said = (await crossed) as string
  if (said !== 'deposited') errors.push(said)
  expect(errors).toHaveLength(1)
  expect(errors[0]).toMatch(
    /DeadlockError: .*waits for Account\.deposit, held by .*waits for Account\.deposit, held by/,
  )
  expect(ours.balance + theirs.balance).toBe(1)
})

describe('where blocking is not allowed', () => {
  test('a free lock is taken, a contended one names the way out, and that way works', async () => {
    const account = new Account()
    const [holder, page] = [startThread(), startThread('./threads/unblockable.js')]
    expect(await page.run('deposit', account)).toBe(1)
    const cell = gate()
    holder.order('hold', account, cell)
    await holder.answer()
    const said = await page.run('refused', account)
    expect(said).toMatch(/^CannotBlockError: .*Instead: await nonBlocking\(account\)\.deposit\.$/)
    const deposit = page.run('nonBlocking', account)
    open(cell)
    expect(await deposit).toBe(3)
  })
})

describe('nonBlocking', () => {
  test('is a view of the class: promises of methods, getters and fields; nothing else', async () => {
    const account = new Account()
    const view = nonBlocking(account)
    expect(nonBlocking(account)).toBe(view)
    expect(await view.deposit(2)).toBe(2)
    expect(await view.depositAfter(2, Promise.resolve())).toBe(4)
    expect([await view.doubled, await view.balance, await view.peek()]).toEqual([8, 4, 4])
    expect([(view as any).then, (view as any).constructor, (view as any).hasOwnProperty]).toEqual([
      undefined,
      undefined,
      undefined,
    ])
    expect(() => {
      ;(view as any).balance = 1
    }).toThrow(/can't be assigned/)
    expect(view.deposit).toBe(view.deposit)
  })

  test('waits for another thread without blocking', async () => {
    const account = new Account()
    const thread = startThread()
    const cell = gate()
    thread.order('hold', account, cell)
    await thread.answer()
    const deposit = nonBlocking(account).deposit(1)
    open(cell)
    expect(await deposit).toBe(2)
  })

  test('S18 from inside its own method it goes in', async () => {
    @FreeThreaded()
    class Own {
      @Shared('i32') count = 0
      bump(): number {
        return ++this.count
      }
      async twice(): Promise<number> {
        await nonBlocking(this as Own).bump()
        return nonBlocking(this as Own).bump()
      }
    }
    expect(await new Own().twice()).toBe(2)
  })
})

describe('what cannot be locked', () => {
  test('generators are refused at decoration, unless unlocked', () => {
    const refused = () => {
      @FreeThreaded()
      class Walker {
        *walk() {
          yield 1
        }
      }
      return Walker
    }
    expect(refused).toThrow(/Walker\.walk can't be a generator.*@Unlocked\(\)/)
    @FreeThreaded()
    class Allowed {
      @Shared('i32') count = 2
      @Unlocked *walk() {
        yield this.count
      }
    }
    expect([...new Allowed().walk()]).toEqual([2])
  })

  test('a method that gives a promise without being async', () => {
    @FreeThreaded()
    class Pretender {
      @Shared('i32') count = 0
      later() {
        return Promise.resolve(this.count)
      }
    }
    expect(() => new Pretender().later()).toThrow(/Pretender\.later gave a promise but is no async function/)
  })

  test('the packet of a locked object is made without waiting', async () => {
    const account = new Account()
    const thread = startThread()
    const cell = gate()
    thread.order('hold', account, cell)
    await thread.answer()
    marshal(account)[0][Symbol.dispose]()
    open(cell)
    await thread.answer()
  })
})

function withResolvers() {
  let resolve!: () => void
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}
