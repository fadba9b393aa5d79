/**
 * Where other libraries that call across threads were found to break, by running them: each is a test here.
 *
 * Those of locks are tests of their own packages: a dead lock holder ("a holder that ends by …", @flatshare/sync's
 * mutex.threads), weighted waiters of a semaphore that nobody wakes ("serves in order: a heavy one is not passed by light
 * ones, and all are served that can be", semaphore), writers starved by readers ("writers are not starved by readers that
 * never stop", rwlock.threads), one thread's compaction corrupting another's view ("what another thread made of it is
 * read here, however large it has become", @flatshare/free-threaded's map).
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type Apartment, blocking, release, transfer } from '@flatshare/apartment'
import { byReference, DisconnectedError } from '@flatshare/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { gate } from '../apartments.js'
import { QuotaError } from '../threads/breakable.js'
import type { Opener } from './opener.js'

type Breakable = typeof import('../threads/breakable.js')

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void

export function wherePeersBreak(open: Opener): void {
  const openBreakable = () => open<Breakable>(new URL('../threads/breakable.js', import.meta.url), { name: 'worker' })

  let apartment: Apartment<Breakable>
  let remote: Apartment<Breakable>['remote']

  beforeAll(async () => {
    apartment = await openBreakable()
    remote = apartment.remote
  })
  afterAll(() => apartment.close())

  describe('a worker that exits with calls pending', () => {
    it('rejects them all, and those of its callbacks: none hangs', async () => {
      const doomed = await openBreakable()
      const begun = gate()
      const inCallback = doomed.remote.call(() => {
        begun.open()
        return new Promise<void>(() => {})
      })
      const pending = [doomed.remote.never(), inCallback]
      await begun.opened
      const ends = await Promise.allSettled([...pending, doomed.remote.exit()])
      for (const end of ends) {
        expect(end).toMatchObject({ status: 'rejected', reason: { name: 'DisconnectedError', mayHaveRun: true } })
        expect((end as PromiseRejectedResult).reason).toBeInstanceOf(DisconnectedError)
      }
    })
  })

  describe('a proxy with calls pending', () => {
    it('that is released: they settle', async () => {
      const { open, opened } = gate()
      const own = await openBreakable()
      const pending = own.remote.call(() => opened.then(() => 'settled'))
      release(own.remote)
      open()
      expect(await pending).toBe('settled')
      await own.close()
    })

    it('that is collected in mid-await: they settle', async () => {
      const own = await openBreakable()
      const { open, opened } = gate()
      let collected = false
      const registry = new FinalizationRegistry(() => {
        collected = true
      })
      const pending = (() => {
        const callback = () => opened.then(() => 'settled')
        registry.register(callback, undefined)
        return own.remote.call(callback)
      })()
      for (let i = 0; i < 5; i++) {
        gc()
        await own.remote.pristine()
      }
      // What the pending call needs is held by it alone.
      expect(collected).toBe(false)
      open()
      expect(await pending).toBe('settled')
      await own.close()
    })
  })

  describe('a result too large for a buffer', () => {
    const count = 2 ** 21
    const check = ({ bytes, text, list }: ReturnType<Breakable['large']>) => {
      expect([bytes.length, bytes.at(-1), text.length, text.at(-1), list.length, list.at(-1)!.i]).toEqual([
        count,
        7,
        count,
        'é',
        count / 16,
        count / 16 - 1,
      ])
    }

    it('arrives, and the next call is answered', async () => {
      check(await remote.large(count))
      expect(await remote.echo(1)).toBe(1)
    })

    it('arrives where the caller blocks', () => {
      check(blocking(remote).large(count))
      expect(blocking(remote).echo(1)).toBe(1)
    })
  })

  describe('the main thread calling back into a blocked worker', () => {
    it('is served there, and both go on', async () => {
      const caller = byReference({ callBack: async (callback: () => unknown) => `main was ${await callback()}` })
      expect(await remote.blockAndBeCalled(caller as never)).toBe('main was called back')
    })
  })

  describe('writing api.__proto__.x through a proxy', () => {
    it('pollutes nothing, here or there', async () => {
      const api: any = remote
      expect(() => (api.__proto__.x = 1)).toThrow(TypeError)
      expect(() => (api.constructor.prototype.x = 1)).toThrow(TypeError)
      expect(await remote.pristine()).toBe(true)
      expect(({} as any).x).toBeUndefined()
    })
  })

  describe('the same callback sent twice', () => {
    it('is one there, so that a listener can be removed', async () => {
      const heard: string[] = []
      const listener = (value: string) => heard.push(value)
      expect(await remote.listen(listener)).toBe(1)
      expect(await remote.listen(listener)).toBe(1)
      await remote.raise('once')
      expect(await remote.unlisten(listener)).toBe(true)
      await remote.raise('not heard')
      expect(heard).toEqual(['once'])
    })
  })

  describe('callbacks and transferables nested in an argument', () => {
    it('arrive: the ones call back, the others are moved', async () => {
      const [first, second] = [new ArrayBuffer(3), new ArrayBuffer(5)]
      const lines = [
        { bytes: transfer(first, [first]), priced: (length: number) => length * 2 },
        { bytes: transfer(second, [second]), priced: async (length: number) => length * 3 },
      ]
      expect(await remote.nested({ lines })).toEqual([6, 15])
      expect([first.byteLength, second.byteLength]).toEqual([0, 0])
    })
  })

  describe('custom error classes', () => {
    it('arrive as themselves, with their fields', async () => {
      const error = await remote.limited(3).catch((error: unknown) => error)
      expect(error).toBeInstanceOf(QuotaError)
      expect(error).toMatchObject({ name: 'QuotaError', message: 'More than 3', limit: 3 })
    })

    it('arrive as themselves there, when a callback throws them, and come back', async () => {
      const thrown = new QuotaError(9)
      await expect(
        remote.call(() => {
          throw thrown
        }),
      ).rejects.toSatisfy((error) => error instanceof QuotaError && error.limit === 9)
    })
  })
}
