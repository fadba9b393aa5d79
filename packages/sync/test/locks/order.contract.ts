/** Who gets a lock, and what a query tells. */
import type { Lock } from '@flatshare/sync'
import { describe, expect } from 'vitest'
import { deferred, type Kit, newName, turn } from './kit.js'

export function orderContract({ check, hold, isFree, locks, modes }: Kit): void {
  describe('modes and order', () => {
    check('one holds an exclusive lock at a time, in the order of the requests', async () => {
      const name = newName()
      const order: string[] = []
      await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
          locks.request(name, async () => {
            order.push(`${i} in`)
            if (i % 2) await turn()
            order.push(`${i} out`)
          }),
        ),
      )
      expect(order).toEqual(Array.from({ length: 20 }, (_, i) => [`${i} in`, `${i} out`]).flat())
    })

    check('different names have nothing to do with each other', async () => {
      const [a, b] = [newName(), newName()]
      const holder = hold(a)
      await holder.granted
      await locks.request(b, () => {})
      await locks.request(b, { ifAvailable: true }, (lock) => expect(lock).not.toBeNull())
      holder.release()
      await holder.done
    })

    check('requests for several names are granted in the order in which they were made', async () => {
      const all = [newName(), newName(), newName()]
      const order: number[] = []
      await Promise.all(
        Array.from({ length: 9 }, (_, i) => locks.request(all[i % 3]!, { mode: 'shared' }, () => void order.push(i))),
      )
      expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
    })

    check('a shared lock is held by many', async () => {
      const name = newName()
      const holders = [1, 2, 3].map(() => hold(name, { mode: 'shared' }))
      await Promise.all(holders.map(({ granted }) => granted))
      expect(await modes(name)).toEqual({ held: ['shared', 'shared', 'shared'], pending: [] })
      await locks.request(name, { mode: 'shared' }, (lock) => expect(lock.mode).toBe('shared'))
      expect(await isFree(name)).toBe(false)
      for (const holder of holders) holder.release()
      await Promise.all(holders.map(({ done }) => done))
      expect(await isFree(name)).toBe(true)
    })

    check('shared requests wait behind an exclusive one that waits', async () => {
      const name = newName()
      const order: string[] = []
      const reader = hold(name, { mode: 'shared' })
      await reader.granted
      const writer = hold(name)
      void writer.granted.then(() => order.push('writer'))
      const late = [1, 2, 3].map(() => {
        const holder = hold(name, { mode: 'shared' })
        void holder.granted.then(() => order.push('late reader'))
        return holder
      })
      expect(await isFree(name, 'shared')).toBe(false)
      await turn()
      expect(order).toEqual([])
      expect(await modes(name)).toEqual({ held: ['shared'], pending: ['exclusive', 'shared', 'shared', 'shared'] })
      reader.release()
      await writer.granted
      await turn()
      expect(order).toEqual(['writer'])
      writer.release()
      await Promise.all(late.map(({ granted }) => granted))
      expect(await modes(name)).toEqual({ held: ['shared', 'shared', 'shared'], pending: [] })
      for (const holder of late) holder.release()
      await Promise.all(late.map(({ done }) => done))
    })

    check('an exclusive request waits for the last of the shared holders', async () => {
      const name = newName()
      const [one, other] = [hold(name, { mode: 'shared' }), hold(name, { mode: 'shared' })]
      await Promise.all([one.granted, other.granted])
      let granted = false
      const writer = locks.request(name, () => void (granted = true))
      one.release()
      await one.done
      await turn()
      expect(granted).toBe(false)
      other.release()
      await writer
      expect(granted).toBe(true)
    })

    check('a lock that is held is not granted again, not to its holder either', async () => {
      const name = newName()
      await locks.request(name, async () => {
        expect(await isFree(name)).toBe(false)
        expect(await isFree(name, 'shared')).toBe(false)
      })
    })

    check('a thousand requests wait and are served', async () => {
      const name = newName()
      const order: number[] = []
      const holder = hold(name)
      await holder.granted
      const all = Array.from({ length: 1000 }, (_, i) => locks.request(name, () => void order.push(i)))
      expect((await modes(name)).pending).toHaveLength(1000)
      holder.release()
      await Promise.all(all)
      expect(order).toEqual(Array.from({ length: 1000 }, (_, i) => i))
      expect(await modes(name)).toEqual({ held: [], pending: [] })
    })
  })

  describe('ifAvailable', () => {
    check('grants what is free', async () => {
      const name = newName()
      await locks.request(name, { ifAvailable: true }, async (lock) => {
        expect(lock).toMatchObject({ name, mode: 'exclusive' })
        expect(await isFree(name)).toBe(false)
      })
      await locks.request(name, { mode: 'shared' }, async () => expect(await isFree(name, 'shared')).toBe(true))
    })

    check('calls back with null where the lock is held, and settles as the callback does', async () => {
      const name = newName()
      const mine = { name: 'mine' }
      const ifAvailable = { ifAvailable: true }
      await locks.request(name, async () => {
        const fail = () => {
          throw mine as unknown as Error
        }
        await expect(locks.request(name, ifAvailable, (lock) => [lock, 123])).resolves.toEqual([null, 123])
        await expect(locks.request(name, ifAvailable, async (lock) => [lock, 123])).resolves.toEqual([null, 123])
        await expect(locks.request(name, ifAvailable, fail)).rejects.toBe(mine)
        await expect(locks.request(name, ifAvailable, async () => fail())).rejects.toBe(mine)
      })
      await locks.request(name, { mode: 'shared' }, async () => expect(await isFree(name)).toBe(false))
    })

    check('without the lock, it neither holds nor waits', async () => {
      const name = newName()
      const holder = hold(name)
      await holder.granted
      const gate = deferred()
      const called = deferred<Lock | null>()
      const without = locks.request(name, { ifAvailable: true }, (lock) => {
        called.resolve(lock)
        return gate.promise
      })
      expect(await called.promise).toBeNull()
      expect(await modes(name)).toEqual({ held: ['exclusive'], pending: [] })
      holder.release()
      await holder.done
      expect(await isFree(name)).toBe(true)
      gate.resolve()
      await without
    })

    check('does not go in front of those who wait', async () => {
      const name = newName()
      const reader = hold(name, { mode: 'shared' })
      await reader.granted
      const writer = hold(name)
      expect(await isFree(name, 'shared')).toBe(false)
      reader.release()
      await writer.granted
      writer.release()
      await writer.done
      expect(await isFree(name, 'shared')).toBe(true)
    })

    check('is available again once a release was processed, with nobody waiting', async () => {
      const [outer, inner] = [newName(), newName()]
      await locks.request(outer, async () => {
        await locks.request(inner, async () => {})
        expect(await isFree(inner)).toBe(true)
      })
    })
  })

  describe('query', () => {
    check('tells name, mode and client of what is held and what waits, in plain objects', async () => {
      const name = newName()
      const holder = hold(name, { mode: 'shared' })
      await holder.granted
      const waiting = locks.request(name, () => {})
      const snapshot = await locks.query()
      expect(Object.keys(snapshot).sort()).toEqual(['held', 'pending'])
      const held = snapshot.held.filter((info) => info.name === name)
      const pending = snapshot.pending.filter((info) => info.name === name)
      const clientId = expect.stringMatching(/./)
      expect(held).toEqual([{ name, mode: 'shared', clientId }])
      expect(pending).toEqual([{ name, mode: 'exclusive', clientId }])
      expect(held[0]!.clientId).toBe(pending[0]!.clientId)
      expect(Object.getPrototypeOf(held[0])).toBe(Object.prototype)
      holder.release()
      await Promise.all([holder.done, waiting])
      expect(await modes(name)).toEqual({ held: [], pending: [] })
    })

    check('gives the requests for a name in their order', async () => {
      const name = newName()
      const holder = hold(name)
      await holder.granted
      const order = ['shared', 'exclusive', 'exclusive', 'shared', 'shared', 'exclusive'] as const
      const all = order.map((mode) => locks.request(name, { mode }, () => {}))
      expect(await modes(name)).toEqual({ held: ['exclusive'], pending: [...order] })
      holder.release()
      await Promise.all([holder.done, ...all])
    })

    check('is a snapshot: it does not change, and changing it changes nothing', async () => {
      const name = newName()
      const holder = hold(name)
      await holder.granted
      const before = await locks.query()
      before.held.length = 0
      expect(await modes(name)).toEqual({ held: ['exclusive'], pending: [] })
      const kept = await locks.query()
      holder.release()
      await holder.done
      expect(kept.held.filter((info) => info.name === name)).toHaveLength(1)
    })
  })
}
