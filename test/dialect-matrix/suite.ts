// One suite for every way to compile a decorated class: the fixtures, compiled by tsc once per dialect, on real threads.
import { once } from 'node:events'
import { inspect } from 'node:util'
import { Worker } from 'node:worker_threads'
import { FlatshareError, marshal, modelOf, unmarshal } from '@flatshare/core'
import { runInFrame } from '@flatshare/core/internal'
import { locked, nonBlocking } from '@flatshare/free-threaded'
import { threadContext } from '@flatshare/thread-aware'
import { afterEach, describe, expect, test } from 'vitest'

export async function dialectSuite(dialect: `${'legacy' | 'standard'}-${'define' | 'assign'}`): Promise<void> {
  const folder = new URL(`../dialects/${dialect}/`, import.meta.url)
  const fixture = (await import(new URL('classes.js', folder).href)) as Record<string, any>
  const { Account, audit, Careless, Forgotten, made, Plain, Reversed, Savings, Secretive, Session, Sub } = fixture
  const { Profile, SortedTable, Table, Unaware } = fixture
  const workers: Worker[] = []

  afterEach(async () => {
    for (const worker of workers.splice(0)) await worker.terminate()
  })

  /** A thread to which jobs of the fixtures' worker are given, one at a time. */
  function startThread() {
    const worker = new Worker(new URL('worker.js', folder))
    workers.push(worker)
    return async (job: string, object: object): Promise<any> => {
      const [packet, transferList] = marshal(object)
      worker.postMessage({ job, packet }, transferList)
      const [{ result, error }] = (await once(worker, 'message')) as [{ result: unknown; error?: Error }]
      if (error) throw error
      return result
    }
  }

  describe(dialect, () => {
    test('S3 fields are shared, with their initial values, and no constructor runs there', async () => {
      const account = new Account()
      expect(await startThread()('look', account)).toEqual([true, false, '0 true 5 0 0.5', 0, []])
    })

    test('S3 what one thread writes, others read', async () => {
      const account = new Account()
      account.deposit(1)
      await startThread()('write', account)
      expect(account[audit]()).toBe('42 false -7 255 0.25')
      expect([account.balance, account.half, account.cents]).toEqual([42, 21, -7n])
    })

    test('S3 four threads deposit, nothing is lost', async () => {
      const account = new Account()
      await Promise.all([1, 2, 3, 4].map(() => startThread()('deposit', account)))
      expect(account.balance).toBe(100_000)
    })

    test('an async method holds the lock across await', async () => {
      const account = new Account()
      await Promise.all([
        startThread()('depositSlowly', account),
        startThread()('depositSlowly', account),
        nonBlocking(account as { deposit(n: number): number }).deposit(1),
      ])
      expect(account.balance).toBe(101)
    })

    test('values set before the first method call arrive', async () => {
      const account = new Account()
      account.balance = 3
      account.rate = 2
      account.level = 9
      expect([account.balance, account.rate, account.level]).toEqual([3, 2, 9])
      expect(account[audit]()).toBe('3 true 5 9 2')
      expect(Object.keys(account)).toEqual([])
    })

    test('a subclass adds to the layout, and super calls go in', async () => {
      const savings = new Savings()
      expect(savings.depositTwice(1)).toBe(4)
      expect(savings.describe()).toBe('4 true 5 0 0.5 3 -1')
      const thread = startThread()
      expect(await thread('describe', savings)).toBe('4 true 5 0 0.5 3 -1')
      expect((await thread('look', savings)).slice(0, 2)).toEqual([true, true])
    })

    test('S8 one object is one handle, and comes home as itself', async () => {
      const account = new Account()
      const thread = startThread()
      await thread('keep', account)
      expect(await thread('same', account)).toBe(true)
      expect(unmarshal(marshal(account)[0])).toBe(account)
    })

    test('S11 its model is free', () => {
      expect([modelOf(Account), modelOf(new Account()), modelOf(Savings)]).toEqual(['free', 'free', 'free'])
    })

    test('the class stays what it was', () => {
      const account = new Account()
      expect(account.constructor).toBe(Account)
      expect([Account.name, Account.currency, Account.open() instanceof Account]).toEqual(['Account', 'EUR', true])
      expect([Account.prototype.deposit.name, Account.prototype.deposit.length]).toEqual(['deposit', 1])
      expect(Account.prototype.deposit.toString()).toMatch(/^deposit\(amount\) \{\s+this\.balance \+= amount/)
      expect(Account.prototype.depositSlowly.constructor.name).toBe('AsyncFunction')
      expect([...account.fields()]).toEqual([0, 0.5])
      expect(() => account.fail()).toThrow(RangeError)
      expect(account.balance).toBe(1)
      account.half = 4
      expect([account.half, account.balance]).toEqual([4, 8])
    })

    test('it shows its fields', () => {
      const account = new Account()
      const fields = { balance: 0, cents: 5n, rate: 0.5, isOpen: true, level: 0 }
      account.deposit(0)
      expect(account.toJSON()).toEqual(fields)
      expect(inspect(account)).toBe('Account { balance: 0, cents: 5n, rate: 0.5, isOpen: true, level: 0 }')
    })

    test('a wrong value is refused before anything is written', () => {
      const account = new Account()
      account.deposit(0)
      expect(() => (account.balance = '5')).toThrow(/Account\.balance is shared as f64 .* not the string "5"/)
      expect(() => (account.level = 256)).toThrow(RangeError)
      expect(() => (account.cents = 5)).toThrow(TypeError)
      expect(() => (account.isOpen = 1)).toThrow(TypeError)
      expect(account[audit]()).toBe('0 true 5 0 0.5')
      const early = new Account()
      expect(() => {
        early.level = 1.5
        early.deposit(1)
      }).toThrow(/Account\.level is shared as u8/)
    })

    test('S3 strings, JSON-like values, enumerations, arrays, bytes and references', async () => {
      const profile = new Profile()
      profile.friend = new Profile()
      profile.friend.name = 'friend'
      expect(await startThread()('profile', profile)).toBe(
        'none nobody draft {"list":["new"]} 0,0,0,0 0 friend undefined',
      )
      expect(profile.describe()).toBe('the there there final {"list":["new","old"]} 5,0,0,0 3 there friend')
      expect([profile.friend, profile.boss.name, profile.scores[0]]).toEqual([profile, 'friend', 5])
      expect(() => profile.tags.list.push('lost')).toThrow(TypeError)
      expect(() => (profile.boss = new Account())).toThrow(/takes a Profile or null, not an object of Account/)
    })

    test('S4 a field neither shared nor per-thread is refused', () => {
      const mend = /Careless\.cache is neither shared nor per-thread.*@Shared\(type\) or @PerThread\(\)/
      expect(() => new Careless().read()).toThrow(mend)
      expect(() => marshal(new Careless())).toThrow(mend)
    })

    test('S4 an undecorated subclass with members is refused', () => {
      expect(() => new Sub().deposit(1)).toThrow(/Sub extends the free-threaded Account and adds extra/)
      expect(() => marshal(new Sub())).toThrow(FlatshareError)
    })

    test('@Shared without @FreeThreaded is refused when it crosses', () => {
      expect(() => marshal({ deep: [new Forgotten()] })).toThrow(/Forgotten\.kept is @Shared, but .*@FreeThreaded\(\)/)
      expect(modelOf(new Forgotten())).toBeUndefined()
    })

    test('# members exist only where the object was made', async () => {
      const secretive = new Secretive()
      expect(secretive.use()).toBe(1)
      await expect(startThread()('secret', secretive)).rejects.toThrow(/Secretive\.use uses a # member.*@PerThread/)
      expect(secretive.use()).toBe(2)
    })

    test('S22 each thread has its own context, made at first use', async () => {
      const session = new Session()
      const before = made.cursors
      expect([session.advance(), session.cursor.serial, session.noted()]).toEqual([1, before + 1, 'from the maker'])
      // There the cursor is that thread's first, and so is its note: nobody has set one.
      const thread = startThread()
      expect(await thread('advance', session)).toEqual([1, 2, 1, undefined, 3])
      expect(await thread('context', session)).toEqual(['cursor', 'note'])
      expect([session.advance(), session.cursor.serial, session.uses]).toEqual([2, before + 1, 4])
      expect(threadContext<any>(session).cursor).toBe(session.cursor)
    })

    test('S22 either order of the decorators', async () => {
      const reversed = new Reversed()
      expect(await reversed.advance()).toBe(1)
      expect(await startThread()('advanceReversed', reversed)).toEqual([true, 1, 2, 1])
      expect([await reversed.advance(), reversed.uses]).toEqual([2, 4])
    })

    test('@PerThread alone will do on a free class', () => {
      expect(new Plain().read()).toBe(7)
    })

    test('S22 contexts at home are the callers’', async () => {
      const table = new Table()
      const as = <R>(caller: number, fn: () => R): R =>
        runInFrame(
          { parent: undefined, call: { caller, path: [], signal: new AbortController().signal, deadline: undefined } },
          fn,
        )
      expect([table.next(), table.next(), table.rows]).toEqual([1, 2, 2])
      expect([as(1001, () => table.next()), as(1002, () => table.next()), table.next()]).toEqual([1, 1, 3])
      expect(await as(1001, () => table.nextLater())).toBeGreaterThan(1)
      expect(as(1001, () => table.other)).not.toBe(table.other)
      expect([...table.serials()]).toEqual([table.cursor.serial])
      const cursors = [table.cursor, table.other, as(1001, () => table.cursor), as(1002, () => table.cursor)]
      table[Symbol.dispose]()
      expect(cursors.map(({ disposed }) => disposed)).toEqual([true, true, true, true])
    })

    test('S22 a subclass has the contexts of its parent', () => {
      const table = new SortedTable()
      expect(table.order()).toBe(table.cursor.serial)
      expect(table.next()).toBe(1)
    })

    test('S23 two objects have a context each', () => {
      const [one, two] = [new Table(), new Table()]
      expect([one.next(), one.next(), two.next()]).toEqual([1, 2, 1])
    })

    test('@PerThread without @ThreadAware is refused', () => {
      expect(() => new Unaware().next()).toThrow(/Unaware\.cursor is @PerThread.*@ThreadAware\(\)/)
    })

    test('@Shared() takes its type from the compiler, where that tells', async () => {
      const load = () => import(new URL('inferred.js', folder).href) as Promise<Record<string, any>>
      if (dialect.startsWith('legacy'))
        expect(new (await load())['Inferred']().read()).toBe('1.5 true somebody 5 2 a 0 0')
      else await expect(load()).rejects.toThrow(/@Shared\(\) on balance needs a type.*@Shared\('f64'\)/)
    })

    test('locked makes several calls one', () => {
      const account = new Account()
      expect(locked(account, () => account.deposit(1) + account.deposit(1))).toBe(3)
    })
  })
}
