import { AdviseSource } from '@flatshare/advise-sink'
import { Apartment } from '@flatshare/apartment'
import { describe, expect, it } from 'vitest'
import { Collector } from './stores.js'
import type { Numbers } from './threads/raising.js'

const openRaisers = (count: number) =>
  Promise.all(
    Array.from({ length: count }, (_, i) =>
      Apartment.open<typeof import('./threads/raising.js')>(new URL('./threads/raising.js', import.meta.url), {
        name: `raiser ${i}`,
      }),
    ),
  )

/** Raises here, in short turns of the event loop. */
async function raiseRange(source: AdviseSource<Numbers>, from: number, to: number): Promise<void> {
  for (let i = from; i < to; i++) {
    source.raise('number', { thread: 0, i })
    if (i % 5000 === 4999) await new Promise((resolve) => setImmediate(resolve))
  }
}

describe('S29 each exactly once, in order', () => {
  it('a million: 250,000 events to sinks of four threads', async () => {
    const apartments = await openRaisers(4)
    const source = new AdviseSource<Numbers>({ events: ['number'] })
    const listeners = await Promise.all(apartments.map((apartment) => apartment.create('Raiser', source)))
    for (const [i, listener] of listeners.entries()) {
      // Half of them advise by themselves, at their handles of the source.
      if (i % 2 === 0) await listener.listen()
      else source.advise('number', (await listener.sink()) as never, { queue: { limit: 250_000 } })
    }
    for (let i = 0; i < 250_000; i += 50_000) {
      await raiseRange(source, i, i + 50_000)
      await Promise.all(listeners.map((listener) => listener.has(i + 50_000)))
    }
    for (const listener of listeners) expect(await listener.has(250_000)).toEqual([undefined, 250_000])
    await Promise.all(apartments.map((apartment) => apartment.close()))
  })

  it('100,000 that four threads raise at once, while others advise, unadvise and die', async () => {
    const apartments = await openRaisers(6)
    const source = new AdviseSource<Numbers>({ events: ['number'] })
    const sink = new Collector()
    source.advise('number', sink as never, { queue: { limit: 1_000_000 } })
    const raisers = await Promise.all(apartments.map((apartment) => apartment.create('Raiser', source)))
    const coming = raisers[4]!
    const dying = raisers[5]!
    await dying.listen()
    // Not awaited: it is to end in the middle.
    const died = dying.raise(5, 0, Number.POSITIVE_INFINITY).catch((error: Error) => error.name)
    const raising = Promise.all([0, 1, 2, 3].map((i) => raisers[i]!.raise(i, 0, 25_000)))
    for (let i = 0; i < 20; i++) {
      await coming.listen()
      await coming.stop()
      if (i === 5) await apartments[5]!.terminate()
    }
    await raising
    expect(await died).toBe('DisconnectedError')
    const last: Array<{ thread: number; i: number }> = []
    const all = () => sink.payloads as Array<{ thread: number; i: number }>
    while (all().filter(({ thread }) => thread < 4).length < 100_000) await sink.has(sink.heard.length + 1)
    for (let thread = 0; thread < 6; thread++) {
      const own = all().filter((payload) => payload.thread === thread)
      expect(own.every(({ i }, place) => i === place)).toBe(true)
      last.push(own.at(-1)!)
    }
    expect(last.slice(0, 4).map(({ i }) => i)).toEqual([24_999, 24_999, 24_999, 24_999])
    expect(sink.heard.every(({ sequence }, i) => sequence === i + 1)).toBe(true)
    while (source.connections > 1) await raisers[0]!.has(0)
    await Promise.all(apartments.map((apartment) => apartment.close()))
  })
})
