import { setTimeout as pause } from 'node:timers/promises'
import { type Apartment, blocking, type Remote } from '@flatshare/apartment'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Store } from '../apartments.js'
import type { Account, Relay } from '../threads/store.js'
import { type Opener, storeOpener } from './opener.js'

/** Milliseconds. By then both threads have gone to sleep; where they haven't, the tests hold as well. */
const REST = 5
const PAUSES = 30

/** The first call after a pause finds both threads asleep, and may wait for its answer in place. */
export function firstCalls(open: Opener): void {
  const openStore = storeOpener(open)
  let apartment: Apartment<Store>
  let account: Remote<Account>
  let relay: Remote<Relay>

  beforeAll(async () => {
    apartment = await openStore({ name: 'resting' })
    account = await apartment.create('Account', 0)
    relay = await apartment.create('Relay')
    // Or they had no rings yet.
    for (let i = 0; i < 100; i++) await account.deposit(0)
  })
  afterAll(() => apartment.close())

  /** After each pause once more. */
  async function afterPauses(run: (i: number) => Promise<void>): Promise<void> {
    for (let i = 0; i < PAUSES; i++) {
      await pause(REST)
      await run(i)
    }
  }

  describe('the first call after a pause', () => {
    it('gives its result, once', async () => {
      const before = await account.deposit(0)
      await afterPauses(async (i) => expect(await account.deposit(1)).toBe(before + i + 1))
    })

    it('and those made with it are answered in their order', async () => {
      await afterPauses(async () => {
        const order: number[] = []
        const calls = Array.from({ length: 20 }, async (_, i) => {
          await account.echo(i)
          order.push(i)
        })
        await Promise.all(calls)
        expect(order).toEqual(calls.map((_, i) => i))
      })
    })

    it('is answered behind all microtasks of its turn', async () => {
      await afterPauses(async () => {
        const order: string[] = []
        const call = account.deposit(0).then(() => order.push('answer'))
        queueMicrotask(() => {
          order.push('microtask')
          queueMicrotask(() => order.push('its own'))
        })
        await call
        expect(order).toEqual(['microtask', 'its own', 'answer'])
      })
    })

    it('shows where it was made, where it fails', async () => {
      await afterPauses(async () => {
        const error = await account.withdraw(1e9).catch((error: unknown) => error)
        expect((error as Error).stack).toMatch(/--- on the thread "resting" ---[\s\S]*first-calls/)
      })
    })

    it('lets nothing of the caller run before its turn has ended', async () => {
      await afterPauses(async () => {
        const seen: string[] = []
        const called = relay.callBack(() => seen.push('called back'))
        const answered = account.deposit(0).then(() => seen.push('answered'))
        seen.push('end of the turn')
        await Promise.all([called, answered])
        expect(seen[0]).toBe('end of the turn')
      })
    })

    it('may be followed, in the same turn, by one for which its caller blocks', async () => {
      await afterPauses(async () => {
        const call = account.deposit(0)
        expect(typeof blocking(account).deposit(0)).toBe('number')
        expect(typeof (await call)).toBe('number')
      })
    })

    it('may be one that takes its time', async () => {
      await afterPauses(async () => expect(typeof (await account.slowDeposit(0))).toBe('number'))
    })

    it('rejects where its thread is ended meanwhile', async () => {
      const mortal = await openStore({ name: 'mortal' })
      const relay = await mortal.create('Relay')
      for (let i = 0; i < 100; i++) await relay.note('awake')
      await pause(REST)
      const call = relay.callBack(() => new Promise(() => {}))
      await mortal.terminate()
      await expect(call).rejects.toThrow(/mortal/)
    })
  })
}
