import { inspect } from 'node:util'
import { type Apartment, homeOf, type Remote, release } from '@flatshare/apartment'
import { byReference, currentThread, modelOf, NotMarshalableError } from '@flatshare/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Store } from '../apartments.js'
import type { Account, Relay } from '../threads/store.js'
import { OverdrawnError } from '../threads/store.js'
import { type Opener, storeOpener } from './opener.js'

export function calls(open: Opener): void {
  const openStore = storeOpener(open)
  let apartment: Apartment<Store>
  let other: Apartment<Store>
  let account: Remote<Account>
  let relay: Remote<Relay>

  beforeAll(async () => {
    ;[apartment, other] = await Promise.all([openStore({ name: 'bank' }), openStore({ name: 'other' })])
    account = await apartment.create('Account', 100)
    relay = await apartment.create('Relay')
  })
  afterAll(() => Promise.all([apartment.close(), other.close()]))

  describe('calls', () => {
    it('run at home and give promises; getters are promises', async () => {
      const fresh = await apartment.create('Account', 5)
      const pending = fresh.deposit(2)
      expect(pending).toBeInstanceOf(Promise)
      expect(await pending).toBe(7)
      expect(await fresh.balance).toBe(7)
      expect(await fresh.label).toBe('none')
      expect(await fresh.inherited()).toBe('base')
      expect(homeOf(relay)).toMatchObject({ thread: 'bank', threadId: apartment.threadId, isHere: open.sharesMemory })
      // Each process counts its own threads.
      if (open.sharesMemory) expect(await relay.home()).toBe(apartment.threadId)
      expect(apartment.threadId).not.toBe(currentThread.id)
    })

    it('by a class given itself reach the class of that name', async () => {
      const { Account } = await import('../threads/store.js')
      const made = await apartment.create(Account, 3)
      expect(await made.balance).toBe(3)
    })

    it('S5 copy values as structured clone does', async () => {
      const value = {
        list: Object.assign(new Array(3), { 0: 1, 2: 3 }),
        map: new Map([[1, new Date(5)]]),
        big: 2n,
        minusZero: -0,
        bytes: new Uint8Array(3),
      }
      const cyclic: { self?: unknown } = {}
      cyclic.self = cyclic
      expect(await account.echo(value)).toEqual(value)
      const back = await account.echo(cyclic)
      expect(back.self).toBe(back)
    })

    it('S5 share what is shared, and refuse it where that can’t be', async () => {
      const shared = new Int32Array(new SharedArrayBuffer(4))
      if (open.sharesMemory) {
        const view = await account.echo(shared)
        shared[0] = 9
        expect(view[0]).toBe(9)
        expect(await apartment.remote.memory).toBeInstanceOf(SharedArrayBuffer)
      } else {
        await expect(account.echo(shared)).rejects.toThrow(NotMarshalableError)
        await expect(account.echo(shared)).rejects.toThrow(/Shared memory can't cross to another process/)
        await expect(apartment.remote.memory).rejects.toThrow(/Shared memory can't cross to another process/)
      }
    })

    it('S5 an object marked by reference is called where it is; an undecorated one is copied', async () => {
      const counter = byReference({ count: 0, add: (n: number) => (counter.count += n) })
      expect(await account.echo(counter)).toBe(counter)
      const odd = await apartment.create('Odd')
      expect(await odd.plain()).toEqual({ value: 1 })
      const marked = (await odd.marked()) as Remote<{ read(): number }>
      expect(await marked.read()).toBe(2)
    })

    it('say who calls, across await', async () => {
      const caller = await relay.caller()
      expect(await relay.callerLater()).toBe(caller)
      if (open.sharesMemory) expect(caller).toBe(currentThread.id)
      else expect(caller).not.toBe(await relay.home())
    })

    it('reach functions and objects that are served, and classes without decorators', async () => {
      expect(await apartment.remote.resize(4, (x) => x * 3)).toBe(12)
      const settings = await apartment.remote.settings
      expect(await settings.theme).toBe('dark')
      expect(await settings.nested).toEqual({ depth: 2 })
      expect(await settings.double(4)).toBe(8)
      expect(await apartment.remote.opened).toEqual(new Date(0))
      expect(await apartment.remote.sizes).toEqual(new Map([['Inbox', 2]]))
      const plain = await apartment.create('Undecorated', 6)
      expect(await plain.read()).toBe(6)
      const described = await apartment.create('Described')
      expect(await described.shown()).toBe('shown')
      expect(inspect(described)).toBe('Remote<Told> { home: "bank", connected }')
    })
  })

  describe('S8 identity', () => {
    it('one object is one proxy, and comes home as itself', async () => {
      expect(await account.itself()).toBe(account)
      expect(await account.isItself(account)).toBe(true)
      expect(await account.echo({ a: [account] })).toEqual({ a: [account] })
      expect(modelOf(account)).toBe('apartment')
    })

    it('the same function sent twice is the same there, so that it can be taken away', async () => {
      const listener = (x: unknown) => `heard ${x}`
      expect(await relay.subscribe(listener)).toBe(1)
      expect(await relay.subscribe(listener)).toBe(1)
      expect(await relay.publish('it')).toEqual(['heard it'])
      expect(await relay.unsubscribe(listener)).toBe(true)
      expect(await relay.publish('it')).toEqual([])
      expect(await account.echo(listener)).toBe(listener)
    })

    it('a proxy handed to a third thread talks to its home directly, as the same proxy each time', async () => {
      const far = await other.create('Relay')
      expect(await far.forward(account, 5)).toBe(await account.balance)
      await far.hold(account)
      expect(await far.held()).toBe(account)
      expect(await far.subscribe(account)).toBe(1)
      expect(await far.subscribe(account)).toBe(1)
      expect(await far.unsubscribe(account)).toBe(true)
      await far.hold(undefined)
    })

    it('a third thread keeps what it was handed after the one that handed it over let go', async () => {
      const far = await other.create('Relay')
      const lent = await apartment.create('Account', 1)
      await far.hold(lent)
      release(lent)
      const again = (await far.held()) as Remote<Account>
      expect(again).not.toBe(lent)
      expect(await again.deposit(1)).toBe(2)
    })
  })

  describe('functions', () => {
    it('nested anywhere in an argument call back', async () => {
      expect(await relay.collect({ deep: { on: [(x) => x + 1, async (x) => x * 10] } })).toEqual([1, 10])
    })

    it('that throw reject there, and the error comes back as it was', async () => {
      const error = new OverdrawnError(4)
      const fail = () => {
        throw error
      }
      await expect(apartment.remote.resize(1, fail)).rejects.toMatchObject({ missing: 4 })
    })
  })

  describe('errors', () => {
    it('keep class, message, own fields, and the stacks of both threads', async () => {
      const caught = await account.withdraw(1e6).catch((error: unknown) => error as OverdrawnError)
      expect(caught).toBeInstanceOf(OverdrawnError)
      const error = caught as OverdrawnError
      expect(error.missing).toBeGreaterThan(0)
      expect(error.message).toBe(`${error.missing} are missing`)
      expect(error.stack).toMatch(/Account\.withdraw[\s\S]*--- on the thread "bank" ---[\s\S]*contract.calls/)
    })

    it('say who awaits the call, however many there are at once', async () => {
      const overdraw = async (): Promise<unknown> => {
        await account.withdraw(1e6)
        return undefined
      }
      const calls = [overdraw()]
      while (calls.length < 9_999) calls.push(account.balance)
      calls.push(overdraw())
      const settled = await Promise.allSettled(calls)
      for (const failed of [settled[0], settled[9_999]]) {
        const { stack } = (failed as PromiseRejectedResult).reason as Error
        expect(stack).toMatch(
          /Account\.withdraw[\s\S]*--- on the thread "bank" ---\n\s+--- called from the thread "main" ---\n\s+at (async )?overdraw/,
        )
      }
    })

    it('of a constructor reject the creation', async () => {
      await expect(apartment.create('Account', -3)).rejects.toBeInstanceOf(OverdrawnError)
    })

    it('that are no errors arrive as they were thrown', async () => {
      const odd = await apartment.create('Odd')
      await expect(odd.throwsText()).rejects.toBe('text')
      await expect(odd.throwsNothing()).rejects.toBeUndefined()
    })
  })
}
