// Thread-aware objects on apartments, for every way to compile a decorated class and over both links.
import { Apartment, type LinkKind } from '@flatshare/apartment'
import { currentThread } from '@flatshare/core'
import { contextsOf, threadContext } from '@flatshare/thread-aware'
import { describe, expect, onTestFinished, test } from 'vitest'

type Contexts = typeof import('../fixtures/dialects/contexts.js')
export type Dialect = `${'legacy' | 'standard'}-${'define' | 'assign'}`

export async function contextSuite(dialect: Dialect): Promise<void> {
  const url = new URL(`../dialects/${dialect}/contexts.js`, import.meta.url)
  const { Ledger, Table } = (await import(url.href)) as Contexts

  describe.each(['shared', 'port'] satisfies LinkKind[])(`${dialect}, link: %j`, (link) => {
    const open = async (name: string) => {
      const apartment = await Apartment.open<Contexts>(url, { link, name })
      onTestFinished(() => apartment.terminate())
      return apartment
    }
    const openAll = () => Promise.all([open('home'), open('one'), open('two')])

    test('S21 an undecorated function runs on the thread that made it, whoever calls', async () => {
      const [, one, two] = await openAll()
      const calls: string[] = []
      const sink = (from: string) => {
        calls.push(from)
        return currentThread.name
      }
      expect(await Promise.all([one.remote.callBack(sink), two.remote.callBack(sink)])).toEqual(['main', 'main'])
      expect(calls.sort()).toEqual(['one', 'two'])
    })

    test.each(['Table', 'Index'] as const)('S22 %s keeps one context for each calling thread', async (name) => {
      const [home, one, two] = await openAll()
      const table = await home.create(name)
      expect(await one.remote.nextOf(table as never, 3)).toBe(3)
      expect(await two.remote.nextOf(table as never, 2)).toBe(2)
      expect([await table.next(), await one.remote.nextOf(table as never, 1)]).toEqual([1, 4])
      expect((await table.threads()).sort()).toEqual(['main: 1', 'one: 4', 'two: 2'])
      expect(() => contextsOf(table as object)).toThrow(/are kept there: ask there/)
      expect(() => threadContext(table as object)).toThrow(/are kept there: ask there/)
    })

    test('S22 a call keeps its context across await, while others run', async () => {
      const [home, one, two] = await openAll()
      const index = await home.create('Index')
      const results = await Promise.all([
        one.remote.nextSlowlyOf(index as never, 20),
        two.remote.nextSlowlyOf(index as never, 10),
        index.nextSlowly(5),
      ])
      expect(results).toEqual([
        { position: 20, isOne: true },
        { position: 10, isOne: true },
        { position: 5, isOne: true },
      ])
    })

    test.each(['exit', 'throw', 'terminate', 'close'] as const)(
      'S22 a context is disposed of at home when its thread ends (%s)',
      async (how) => {
        const [home, one, two] = await openAll()
        const tables = await Promise.all([home.create('Table'), home.create('Index')])
        for (const table of tables) {
          await one.remote.nextOf(table as never, 1)
          await two.remote.nextOf(table as never, 1)
        }
        if (how === 'terminate') await one.terminate()
        else if (how === 'close') await one.close()
        else await one.remote.end(how).catch(() => {})
        expect(await home.remote.whenEnded(2)).toBe(2)
        for (const table of tables) expect(await table.threads()).toEqual(['two: 1'])
        expect(await two.remote.nextOf(tables[0] as never, 1)).toBe(2)
      },
    )

    test('S22 all contexts are disposed of when the object is', async () => {
      const [home, one, two] = await openAll()
      const table = await home.create('Table')
      await Promise.all([one.remote.nextOf(table as never, 1), two.remote.nextOf(table as never, 1), table.next()])
      expect(await table.end()).toBe(3)
      expect(await table.threads()).toEqual([])
      expect(await table.next()).toBe(1)
    })

    test('S22 a free-threaded object has a context on each thread, which ends with its handle or its thread', async () => {
      const [, one, two] = await openAll()
      const ledger = new Ledger()
      expect(await one.remote.enterInto(ledger as never, 3)).toEqual([3, ['one']])
      expect(await two.remote.enterInto(ledger as never, 2)).toEqual([2, ['two']])
      expect([ledger.enter(), ledger.entries, ledger.closed]).toEqual([1, 6, 0])
      expect(contextsOf(ledger)).toEqual([
        { thread: { id: currentThread.id, name: 'main' }, values: { page: ledger.page } },
      ])
      await one.remote.letGo(ledger as never)
      expect(ledger.closed).toBe(1)
      await two.close()
      expect(ledger.closed).toBe(2)
      const { page } = ledger
      expect(page.entries).toBe(1)
    })

    test('S23 two tables have a context each, by being two objects; the same one has one', async () => {
      const [home, one] = await openAll()
      const store = await home.create('Store')
      const [inbox, sent, again] = await Promise.all([store.open('inbox'), store.open('sent'), store.open('inbox')])
      expect(again).toBe(inbox)
      expect([await inbox.next(), await inbox.next(), await sent.next(), await again.next()]).toEqual([1, 2, 1, 3])
      expect(await one.remote.nextOf(inbox as never, 1)).toBe(1)
    })

    test('S23 what is not thread-aware is shared by all that use it', async () => {
      const [home, one, two] = await openAll()
      const table = await home.create('PlainTable')
      expect(await one.remote.nextOf(table as never, 2)).toBe(2)
      expect(await two.remote.nextOf(table as never, 1)).toBe(3)
      expect(await table.next()).toBe(4)
    })
  })

  test(`${dialect}: S22 at home, a plain object of the class has the context of this thread`, () => {
    const table = new Table()
    expect([table.next(), table.next(), new Table().next()]).toEqual([1, 2, 1])
    expect(contextsOf(table)).toEqual([
      { thread: { id: currentThread.id, name: 'main' }, values: { cursor: table.cursor } },
    ])
  })
}
