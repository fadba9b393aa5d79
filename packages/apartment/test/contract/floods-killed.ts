import { type Apartment, callWith, type Remote } from '@flatshare/apartment'
import { byReference, DisconnectedError } from '@flatshare/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { choices } from '../threads/journal.js'
import type { Counter } from '../threads/loaded.js'
import type { Opener } from './opener.js'

type Loaded = typeof import('../threads/loaded.js')

const loaded = new URL('../threads/loaded.js', import.meta.url)

export function floodsKilled(open: Opener): void {
  let lasting: Apartment<Loaded>

  beforeAll(async () => {
    lasting = await open<Loaded>(loaded, { name: 'lasting' })
  })
  afterAll(() => lasting.close())

  describe('S13 a thread that ends in the middle of a flood', () => {
    it('in all directions: every call settles, and the next thread works', async () => {
      const next = choices(17)
      for (let round = 0; round < 8; round++) {
        const doomed = await open<Loaded>(loaded, { name: 'doomed' })
        const [flooder, target] = await Promise.all([doomed.create('Flooder'), doomed.create('Counter')])
        const [other, lastingTarget] = await Promise.all([lasting.create('Flooder'), lasting.create('Counter')])
        let hits = 0
        const own = byReference({ hit: () => ++hits }) as unknown as Remote<Counter>
        const caught = (promise: Promise<unknown>) => promise.catch((error: unknown) => error)
        // It floods this thread and a third one, and both flood it.
        const fromThere = [
          caught(flooder.flood(own, 200)),
          caught((await doomed.create('Flooder')).flood(lastingTarget, 200)),
        ]
        const fromThird = other.flood(target, 200)
        const mine: Array<Promise<unknown>> = []
        const silent = callWith(target, { reply: false })
        for (let i = 0, most = 20 + next(60); i < most; i++) {
          for (let k = 0; k < 50; k++) mine.push(caught(target.echo({ i, text: 'x'.repeat(next(200)) })))
          mine.push(caught(silent.hit()), caught(target.echo(new Uint8Array(next(100_000)))))
          await new Promise((resolve) => setImmediate(resolve))
        }
        const ending = next(2) ? doomed.terminate() : doomed.close({ timeout: next(3) })
        mine.push(...Array.from({ length: 50 }, () => caught(target.hit())))
        for (const end of await Promise.all(mine)) {
          if (end instanceof Error) expect(end).toBeInstanceOf(DisconnectedError)
        }
        for (const end of await Promise.all(fromThere)) expect(end).toBeInstanceOf(DisconnectedError)
        expect(await fromThird).toMatchObject({ DisconnectedError: expect.any(Number) })
        await ending
        expect(hits).toBeGreaterThan(0)
        // The one that lasts has nothing left to do with it.
        expect(await lastingTarget.echo('still here')).toBe('still here')
      }
      const last = await open<Loaded>(loaded)
      expect(await (await last.create('Counter')).hit()).toBe(1)
      await last.close()
    })
  })
}
