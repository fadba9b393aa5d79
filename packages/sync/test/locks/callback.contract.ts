/** When the callback runs, and how long it holds the lock. */
import { describe, expect } from 'vitest'
import { deferred, type Kit, newName, turn } from './kit.js'

export function callbackContract({ check, hold, isFree, locks, request }: Kit): void {
  describe('the callback', () => {
    check('runs later, never inside of request', async () => {
      for (const options of [{}, { mode: 'shared' }, { ifAvailable: true }, { steal: true }] as const) {
        let ran = false
        const pending = locks.request(newName(), options, () => void (ran = true))
        expect(ran).toBe(false)
        await pending
        expect(ran).toBe(true)
      }
    })

    check('runs later where the lock is not available, too', async () => {
      const name = newName()
      const holder = hold(name)
      await holder.granted
      let ran = false
      const pending = locks.request(name, { ifAvailable: true }, () => void (ran = true))
      expect(ran).toBe(false)
      await pending
      holder.release()
      await holder.done
    })

    check('gets the lock and nothing else, and no `this`', async () => {
      let seen: unknown[] = []
      await request(newName(), function (this: unknown, ...args: unknown[]) {
        seen = [this, args.length]
      })
      expect(seen).toEqual([undefined, 1])
    })

    check('what it returns, or its promise resolves with, is what the request resolves with', async () => {
      const object = { some: 'object' }
      const pending = locks.request(newName(), () => object)
      expect(pending).toBeInstanceOf(Promise)
      await expect(pending).resolves.toBe(object)
      await expect(locks.request(newName(), () => 123)).resolves.toBe(123)
      await expect(locks.request(newName(), () => undefined)).resolves.toBeUndefined()
      await expect(locks.request(newName(), async () => object)).resolves.toBe(object)
    })

    check('a thenable is awaited, and holds the lock until it settles', async () => {
      const name = newName()
      const gate = deferred<string>()
      const granted = deferred()
      // biome-ignore lint/suspicious/noThenProperty: a thenable is what this is about
      const thenable = { then: (...both: Parameters<Promise<string>['then']>) => void gate.promise.then(...both) }
      const pending = request(name, () => {
        granted.resolve()
        return thenable
      })
      await granted.promise
      await turn()
      expect(await isFree(name)).toBe(false)
      gate.resolve('from a thenable')
      await expect(pending).resolves.toBe('from a thenable')
      expect(await isFree(name)).toBe(true)
    })

    const mine = { name: 'mine' }
    const throwsMine = () => {
      throw mine as unknown as Error
    }

    /** Requests, and looks that the lock is free afterwards. */
    async function rejectsWithMine(callback: () => unknown): Promise<void> {
      const name = newName()
      await expect(locks.request(name, callback)).rejects.toBe(mine)
      expect(await isFree(name)).toBe(true)
    }

    check('what its promise rejects with is what the request rejects with; the lock is released', () =>
      rejectsWithMine(async () => throwsMine()),
    )

    check('what it throws is what the request rejects with; the lock is released', () => rejectsWithMine(throwsMine))

    check('a thenable that rejects, or that has no then to give, rejects; the lock is released', async () => {
      // biome-ignore lint/suspicious/noThenProperty: as above
      await rejectsWithMine(() => ({ then: (_: unknown, reject: (reason: unknown) => void) => reject(mine) }))
      await rejectsWithMine(() => Object.defineProperty({}, 'then', { get: throwsMine }))
    })

    check('a thenable that it throws is not awaited', async () => {
      let called = false
      // biome-ignore lint/suspicious/noThenProperty: as above
      const mine = { then: () => void (called = true) }
      const caught = await locks
        .request(newName(), async () => {
          throw mine as unknown as Error
        })
        .then(
          () => undefined,
          (error: unknown) => ({ error }),
        )
      expect(caught!.error).toBe(mine)
      expect(called).toBe(false)
    })

    check('the promise settles after the lock is released', async () => {
      const name = newName()
      const order: string[] = []
      const gate = deferred()
      const pending = locks.request(name, () => gate.promise)
      const after = pending.then(async () => {
        order.push('returned')
        return isFree(name)
      })
      void gate.promise.then(() => order.push('holding'))
      gate.resolve()
      expect(await after).toBe(true)
      expect(order).toEqual(['holding', 'returned'])
    })

    check('the lock is held until its promise settles, one way or the other', async () => {
      for (const way of ['release', 'fail'] as const) {
        const name = newName()
        const order: string[] = []
        const holder = hold(name)
        holder.done.catch(() => {})
        await holder.granted
        const next = locks.request(name, () => void order.push('next'))
        await turn()
        order.push(way)
        holder[way]('an outcome')
        await next
        expect(order).toEqual([way, 'next'])
      }
    })
  })
}
