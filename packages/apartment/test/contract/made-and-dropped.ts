import { MessageChannel } from 'node:worker_threads'
import { type Apartment, connect, release, transfer } from '@flatshare/apartment'
import { settleExits } from '@flatshare/core/internal'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { arenaTop } from './arena.js'
import type { Opener } from './opener.js'

type Loaded = typeof import('../threads/loaded.js')

const loaded = new URL('../threads/loaded.js', import.meta.url)

export function madeAndDropped(open: Opener): void {
  let apartment: Apartment<Loaded>

  beforeAll(async () => {
    apartment = await open<Loaded>(loaded)
  })
  afterAll(() => apartment.close())

  /** Makes a link, uses it in both directions, and lets go of it. */
  async function linkOnce(i: number): Promise<void> {
    const { port1, port2 } = new MessageChannel()
    await apartment.remote.serveAt(transfer(port2) as never)
    const api: any = await connect(port1, { link: open.link })
    for (let k = 0; k < 5; k++) expect(await api.next(i + k)).toBe(i + k + 1)
    expect(await api.callBack(() => 'from here')).toBe('from here')
    release(api)
    port1.close()
  }

  describe('shared memory', () => {
    it('of 2,000 links that are made and dropped is used again', async () => {
      const warm = 100
      for (let i = 0; i < warm; i++) await linkOnce(i)
      const before = arenaTop()
      for (let i = warm; i < 2000; i++) await linkOnce(i)
      expect(arenaTop()).toBe(before)
    })

    it('of threads that end with links open is used again', async () => {
      const one = async (i: number) => {
        const doomed = await open<Loaded>(loaded)
        const [there, other] = await Promise.all([doomed.create('Counter'), apartment.create('Counter')])
        const flooder = await doomed.create('Flooder')
        // So many that the link of these two has rings, in each round.
        expect(await flooder.sendAll(other, 40)).toHaveLength(40)
        const pending = [
          there.callBack(() => new Promise(() => {})),
          there.echo('x'.repeat(i * 10)),
          flooder.flood(other, 5),
        ]
        await there.hit()
        await doomed.terminate()
        expect((await Promise.allSettled(pending)).map(({ status }) => status)).toContain('rejected')
        // The other home has heard of it, too.
        await Promise.all([settleExits(), apartment.remote.settled()])
        await other.read()
      }
      for (let i = 0; i < 6; i++) await one(i)
      const before = arenaTop()
      for (let i = 6; i < 18; i++) await one(i)
      expect(arenaTop()).toBe(before)
    })
  })
}
