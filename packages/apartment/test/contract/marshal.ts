import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { type Apartment, ApartmentThreaded, type Remote, SingleThreaded } from '@flatshare/apartment'
import { currentThread, marshal, modelOf, NotMarshalableError, unmarshal, WrongThreadError } from '@flatshare/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Store } from '../apartments.js'
import type { Account } from '../threads/store.js'
import { type Opener, storeOpener } from './opener.js'

@SingleThreaded()
class Window {}

@ApartmentThreaded
class Counter {
  count = 0
  add(by: number): number {
    return (this.count += by)
  }
}

export function marshaling(open: Opener): void {
  const openStore = storeOpener(open)

  let apartment: Apartment<Store>
  let account: Remote<Account>
  let worker: Worker

  beforeAll(async () => {
    apartment = await openStore({ name: 'bank' })
    account = await apartment.create('Account', 10)
    worker = new Worker(new URL('../threads/by-hand.js', import.meta.url))
  })
  afterAll(() => Promise.all([apartment.close(), worker.terminate()]))

  async function ask(action: string, packet?: unknown, transferList: any[] = []): Promise<any> {
    worker.postMessage({ action, packet }, transferList)
    return (await once(worker, 'message'))[0]
  }

  describe('S1 a single-threaded object', () => {
    it('is refused when it is handed over, naming class, home and target; nothing is sent', async () => {
      expect(modelOf(Window)).toBe('single')
      expect(() => marshal({ deep: [new Window()] })).toThrow(WrongThreadError)
      expect(() => marshal(new Window())).toThrow(/An object of Window can't be handed to another thread.*"main"/)
      await expect(account.echo({ deep: new Window() })).rejects.toThrow(/Window .* thread "bank".*"main"/)
    })
  })

  describe('S7 by hand, to any worker', () => {
    it('an object arrives as a proxy', async () => {
      const counter = new Counter()
      expect((await ask('add', ...marshal(counter))).result).toBe(5)
      expect((await ask('add', ...marshal(counter))).result).toBe(10)
      expect(counter.count).toBe(10)
      expect(modelOf(counter)).toBe('apartment')
    })

    it('a proxy arrives as a proxy that talks to its home directly', async () => {
      const before = await account.balance
      expect((await ask('deposit', ...marshal(account))).result).toBe(before + 5)
    })

    it('a function calls back', async () => {
      const heard: unknown[] = []
      expect((await ask('call', ...marshal((x: unknown) => heard.push(x)))).result).toBe(1)
      expect(heard).toEqual(['from afar'])
    })

    it('S8 what comes home is the original, and the same object is the same proxy', async () => {
      const counter = new Counter()
      await ask('keep', ...marshal(counter))
      expect((await ask('same', ...marshal(counter))).result).toBe(true)
      const { packet } = await ask('back')
      expect(unmarshal(packet)).toBe(counter)
      await ask('keep', ...marshal(account))
      expect(unmarshal((await ask('back')).packet)).toBe(account)
    })

    it('on its own thread it is itself', () => {
      const counter = new Counter()
      expect(unmarshal(marshal(counter)[0])).toBe(counter)
      expect(unmarshal(marshal({ account })[0])).toEqual({ account })
    })
  })

  describe('S9 a packet', () => {
    it('of an apartment object unmarshals once', async () => {
      const [packet, transferList] = marshal(new Counter())
      expect((await ask('add', packet, transferList)).result).toBe(5)
      expect(() => unmarshal(packet)).toThrow(WrongThreadError)
    })

    it('given up lets go of what it held', () => {
      const [packet] = marshal([new Counter(), account])
      packet[Symbol.dispose]()
      expect(() => unmarshal(packet)).toThrow(WrongThreadError)
    })

    it('that is a table packet carries no apartment object', () => {
      expect(() => marshal(new Counter(), { table: true })).toThrow(NotMarshalableError)
      expect(() => marshal(account, { table: true })).toThrow(/a table packet can't carry a proxy of Account/i)
    })
  })

  describe('S19', () => {
    it('a packet for another thread throws there, naming both', async () => {
      const { error } = await ask('add', ...marshal(new Counter(), { to: currentThread.id }))
      expect(error).toMatch(/WrongThreadError: This packet from the thread "main".*is addressed to the thread "main"/)
    })

    it('a packet sent without its transfer list throws, or cannot be sent', async () => {
      const [packet] = marshal(new Counter())
      expect(() => worker.postMessage({ packet })).toThrow(/transferList|transfer/i)
    })
  })
}
