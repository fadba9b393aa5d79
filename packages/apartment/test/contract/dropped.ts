import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Apartment } from '@flatshare/apartment'
import { DisconnectedError } from '@flatshare/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Crossing } from '../apartments.js'
import { crossingOpener, type Opener } from './opener.js'

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void

/** Collects here until the other thread says what is wanted. */
async function collectUntil(look: () => Promise<boolean>): Promise<void> {
  while (!(await look())) {
    gc()
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** In a function of its own, so that nothing of it stays on the stack. */
const use = async <T>(made: Promise<T>, then: (x: T) => unknown): Promise<void> => void (await then(await made))

export function dropped(open: Opener): void {
  const openCrossing = crossingOpener(open)

  let apartment: Apartment<Crossing>

  beforeAll(async () => {
    apartment = await openCrossing('home')
  })
  afterAll(() => apartment.close())

  describe('what is dropped without a word', () => {
    it('an iterator that was begun ends at home', async () => {
      const source = await apartment.create('Source')
      await use(source.count(1e6) as Promise<AsyncGenerator<number>> & AsyncGenerator<number>, (items) => items.next())
      await collectUntil(async () => (await source.seen()).includes('end'))
    })

    it('a readable stream is cancelled at home', async () => {
      const streams = await apartment.create('Streams')
      await use(streams.open(), () => {})
      await collectUntil(async () => (await streams.state()).reason instanceof DisconnectedError)
    })

    it('a writable stream is aborted at home', async () => {
      const streams = await apartment.create('Streams')
      await use(streams.sink(), async (stream) => {
        const writer = stream.getWriter()
        await writer.write(1)
      })
      await collectUntil(async () => (await streams.state()).reason instanceof DisconnectedError)
      expect((await streams.state()).written).toEqual([1])
    })

    it('an AbortSignal is collected with its original, on both sides', async () => {
      const there = apartment.remote
      let dropped = false
      const registry = new FinalizationRegistry(() => {
        dropped = true
      })
      await use(Promise.resolve(new AbortController()), async ({ signal }) => {
        registry.register(signal, undefined)
        await there.keepSignal(signal as never)
        await there.signalState()
      })
      await collectUntil(async () => dropped)
    })
  })
}
