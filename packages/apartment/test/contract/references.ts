import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type Apartment, release } from '@flatshare/apartment'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Store } from '../apartments.js'
import { type Opener, storeOpener } from './opener.js'

export function references(open: Opener): void {
  const openStore = storeOpener(open)
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void

  /** Collects, `there` as well, until `done`, which evidence, not a clock, decides; the test's own deadline ends a failure. */
  async function collectUntil(done: () => boolean, there?: () => PromiseLike<void>): Promise<void> {
    while (!done()) {
      await there?.()
      gc()
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  let apartment: Apartment<Store>

  beforeAll(async () => {
    apartment = await openStore()
  })
  afterAll(() => apartment.close())

  describe('references', () => {
    it('are dropped at home when the proxy is released', async () => {
      const relay = await apartment.create('Relay')
      const holder = await apartment.create('Relay')
      let collected = false
      const registry = new FinalizationRegistry(() => {
        collected = true
      })
      await (async () => {
        const listener = () => {}
        registry.register(listener, undefined)
        await holder.hold(listener)
        await relay.ping()
      })()
      // While it is held there it lives here.
      for (let i = 0; i < 5; i++) {
        gc()
        await relay.ping()
      }
      expect(collected).toBe(false)
      expect(typeof (await holder.held())).toBe('function')
      await holder.hold(undefined)
      await apartment.remote.collect()
      await collectUntil(
        () => collected,
        () => apartment.remote.collect(),
      )
    })

    it('are dropped when the other thread ends, however it ends', async () => {
      const doomed = await openStore()
      const relay = await doomed.create('Relay')
      let collected = false
      const registry = new FinalizationRegistry(() => {
        collected = true
      })
      await (async () => {
        const listener = () => {}
        registry.register(listener, undefined)
        await relay.subscribe(listener)
      })()
      await doomed.terminate()
      await collectUntil(() => collected)
    })

    it('to an apartment that has ended are collected with it', async () => {
      let collected = 0
      const registry = new FinalizationRegistry(() => {
        collected++
      })
      await (async () => {
        const doomed = await openStore()
        const relay = await doomed.create('Relay')
        await relay.ping()
        for (const held of [doomed, doomed.remote, relay]) registry.register(held, undefined)
        await doomed.terminate()
      })()
      await collectUntil(() => collected === 3)
    })

    it('on their way home while they are released arrive all the same', async () => {
      const account = await apartment.create('Account', 1)
      const holder = await apartment.create('Relay')
      for (let i = 0; i < 200; i++) {
        const fresh = await apartment.create('Account', i)
        const sent = holder.hold(fresh)
        release(fresh)
        await sent
        const back = (await holder.held()) as typeof account
        expect(await back.balance).toBe(i)
        release(back)
      }
    })

    it('a proxy that is collected while its call is awaited: the call settles', async () => {
      let pending: Promise<unknown>
      let open!: () => void
      const opened = new Promise<void>((resolve) => {
        open = resolve
      })
      await (async () => {
        const relay = await apartment.create('Relay')
        pending = relay.callBack(() => opened.then(() => 'settled'))
      })()
      for (let i = 0; i < 5; i++) {
        gc()
        await new Promise((resolve) => setImmediate(resolve))
      }
      open()
      expect(await pending!).toBe('settled')
    })
  })
}
