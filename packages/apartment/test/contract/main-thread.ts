/** `Apartment.main`. The main thread of these tests is the process's: the test runner forks. */
import { isMainThread, Worker } from 'node:worker_threads'
import { Apartment, ApartmentThreaded, connect, serve } from '@flatshare/apartment'
import { currentThread } from '@flatshare/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Opener } from './opener.js'

type Residents = typeof import('../threads/residents.js')

const residents = new URL('../threads/residents.js', import.meta.url)

class Greeter {
  constructor(readonly greeting: string) {}
  hello(): string {
    return `${this.greeting} from ${currentThread.name}`
  }
}
ApartmentThreaded({ name: 'Greeter' })(Greeter)

export function mainThread(open: Opener): void {
  const calls: unknown[] = []
  let apartment: Apartment<Residents>

  beforeAll(async () => {
    serve({
      Greeter,
      settings: { theme: 'dark' },
      note: (x: unknown) => calls.push(x),
      back: async (fn: () => Promise<unknown>) => fn(),
    })
    apartment = await open<Residents>(residents, { name: 'lodger' })
  })
  afterAll(() => apartment.close())

  describe('Apartment.main', () => {
    it('is the current one on the main thread', () => {
      expect(isMainThread).toBe(true)
      expect(Apartment.main).toBe(Apartment.current)
    })

    it('is reached from an apartment: functions, objects, classes', async () => {
      const notes = await Promise.all([1, 2, 3].map((x) => apartment.remote.ask('note', x)))
      expect(notes).toEqual([1, 2, 3])
      expect(calls).toEqual([1, 2, 3])
      const settings: any = await apartment.remote.get('settings')
      expect(settings.theme).toBe('dark')
      expect(await apartment.remote.made('Greeter', 'hello')).toEqual([
        'hello from main',
        expect.stringMatching(/^Remote<Greeter> \{ home: "main"/),
      ])
      expect(await apartment.remote.mainThread()).toEqual(['main', currentThread.id])
    })

    it('serves names that came later, and misses others', async () => {
      serve({ later: () => 'later' })
      expect(await apartment.remote.ask('later')).toBe('later')
      await expect(apartment.remote.ask('never')).rejects.toThrow(/Nothing is served here under the name "never"/)
    })

    it('is reached from an apartment inside an apartment', async () => {
      expect(await apartment.remote.askFromInside('note', 'deep')).toBe(4)
    })

    it('is reached from a worker that it didn’t open', async () => {
      const worker = new Worker(residents)
      const api = await connect<Residents>(worker, { link: open.link })
      expect(await api.ask('note', 'visitor')).toBe(5)
      await worker.terminate()
    })

    it('may block while two apartments talk, one of which was handed the other’s object', async () => {
      await using other = await open<Residents>(residents, { name: 'third' })
      const resident = await other.create('Resident')
      const cells = new Int32Array(new SharedArrayBuffer(8))
      const calling = apartment.remote.callWhenTold(resident, cells)
      // Sent at the end of this turn; the call goes on only once this thread blocks.
      await Promise.resolve()
      Atomics.store(cells, 0, 1)
      Atomics.notify(cells, 0)
      expect(Atomics.wait(cells, 1, 0, 10_000)).not.toBe('timed-out')
      expect(await calling).toBe(1)
    })

    it('can’t be closed', async () => {
      expect(await apartment.remote.closing()).toEqual([
        "TypeError: Apartment.main is the process's main thread: it isn't closed, it ends with the process.",
        "TypeError: Apartment.main is the process's main thread: it isn't closed, it ends with the process.",
      ])
    })
  })
}
