import { type Apartment, ApartmentThreaded, type Remote } from '@flatshare/apartment'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { gate, type Store } from '../apartments.js'
import type { Relay } from '../threads/store.js'
import { type Opener, storeOpener } from './opener.js'

export function serial(open: Opener): void {
  const openStore = storeOpener(open)
  let apartment: Apartment<Store>
  let other: Apartment<Store>

  beforeAll(async () => {
    ;[apartment, other] = await Promise.all([openStore({ name: 'a' }), openStore({ name: 'b' })])
  })
  afterAll(() => Promise.all([apartment.close(), other.close()]))

  describe('S2 an object serves one call at a time', () => {
    it('async methods from start to settle, so that none loses an update', async () => {
      const account = await apartment.create('Account', 0)
      const relays = await Promise.all([other.create('Relay'), other.create('Relay')])
      const many = Array.from({ length: 100 }, () => account.slowDeposit(1))
      const elsewhere = relays.flatMap((relay) => Array.from({ length: 50 }, () => relay.forward(account, 1)))
      await Promise.all([...many, ...elsewhere])
      expect(await account.balance).toBe(200)
    })

    it('in the order in which one thread made them', async () => {
      const relay = await apartment.create('Relay')
      const { open, opened } = gate()
      const first = relay.callBack(() => opened)
      const rest = [1, 2, 3].map((n) => relay.note(`note ${n}`))
      open()
      await first
      expect(await rest[2]).toEqual(['begin', 'end', 'note 1', 'note 2', 'note 3'])
    })

    it('unless a method is interleaved', async () => {
      const relay = await apartment.create('Relay')
      const { open, opened } = gate()
      const first = relay.callBack(() => opened)
      expect(await relay.ping()).toBe('pong')
      open()
      await first
    })

    it('a call that throws lets the next one in', async () => {
      const relay = await apartment.create('Relay')
      const fails = relay.callBack(() => {
        throw new Error('no')
      })
      await expect(fails).rejects.toThrow('no')
      expect(await relay.note('next')).toEqual(['begin', 'next'])
    })
  })

  describe('S16 causality', () => {
    it('a call that comes back to the object from inside its own call enters', async () => {
      const relay = await apartment.create('Relay')
      const order = await relay.callBack(async (itself) => {
        expect(itself).toBe(relay)
        return (itself as Remote<Relay>).note('inside')
      })
      expect(order).toEqual(['begin', 'inside'])
      expect(await relay.note('after')).toEqual(['begin', 'inside', 'end', 'after'])
    })

    it('A calls B calls A through threads, and deeper', async () => {
      const [a, b] = await Promise.all([apartment.create('Relay'), other.create('Relay')])
      const result = await a.callBack(() => b.callBack(() => a.callBack(() => b.note('deep'))))
      expect(result).toEqual(['begin', 'deep'])
    })

    it('a call of another causality waits meanwhile', async () => {
      const relay = await apartment.create('Relay')
      const { open, opened } = gate()
      const inside = gate()
      const first = relay.callBack(async () => {
        inside.open()
        await opened
        return relay.note('inside')
      })
      await inside.opened
      const stranger = relay.note('stranger')
      open()
      expect(await first).toEqual(['begin', 'inside'])
      expect(await stranger).toEqual(['begin', 'inside', 'end', 'stranger'])
    })

    it('two siblings of one Promise.all queue', async () => {
      const [a, b] = await Promise.all([apartment.create('Relay'), other.create('Relay')])
      expect(await a.twice(b)).toBe(1)
    })

    it('two siblings that re-enter the object that made them queue as well', async () => {
      const relay = await apartment.create('Relay')
      await relay.callBack(() => Promise.all([relay.busy(), relay.busy(), relay.busy()]))
      expect(await relay.mostAtOnce()).toBe(1)
    })

    it('holds on the main thread as well', async () => {
      class Ledger {
        entries: string[] = []
        async record(relay: Remote<Relay>): Promise<string[]> {
          this.entries.push('begin')
          await relay.callBack(() => undefined)
          this.entries.push('end')
          return this.entries
        }
        async write(what: string): Promise<void> {
          this.entries.push(what)
        }
      }
      ApartmentThreaded()(Ledger)
      const ledger = new Ledger()
      const [a, b] = await Promise.all([apartment.create('Relay'), other.create('Relay')])
      await Promise.all([a.callBack(() => ledger.record(b)), b.hold(ledger)])
      expect(ledger.entries).toEqual(['begin', 'end'])
    })
  })
}
