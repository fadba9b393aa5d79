/** Taking a lock away. */
import { describe, expect } from 'vitest'
import { aborted, type Kit, newName, turn } from './kit.js'

export function stealContract({ check, hold, isFree, locks, modes }: Kit): void {
  describe('steal', () => {
    check('grants what is free', async () => {
      const name = newName()
      await expect(locks.request(name, { steal: true }, (lock) => lock.name)).resolves.toBe(name)
      expect(await isFree(name)).toBe(true)
    })

    check('takes the lock from its holder, whose promise rejects with an AbortError at once', async () => {
      const name = newName()
      const holder = hold(name)
      await holder.granted
      const thief = hold(name, { steal: true })
      await expect(holder.done).rejects.toEqual(aborted)
      expect(await thief.granted).toMatchObject({ name, mode: 'exclusive' })
      expect(await modes(name)).toEqual({ held: ['exclusive'], pending: [] })
      thief.release()
      await expect(thief.done).resolves.toBe('released')
    })

    check('takes it from all who share it', async () => {
      const name = newName()
      const holders = [1, 2, 3].map(() => hold(name, { mode: 'shared' }))
      await Promise.all(holders.map(({ granted }) => granted))
      const stealing = locks.request(name, { steal: true }, () => modes(name))
      for (const { done } of holders) await expect(done).rejects.toEqual(aborted)
      expect(await stealing).toEqual({ held: ['exclusive'], pending: [] })
    })

    check('goes in front of those who wait, and they go on waiting in their order', async () => {
      const name = newName()
      const order: string[] = []
      const holder = hold(name)
      await holder.granted
      holder.done.catch(() => {})
      const waiting = ['one', 'two'].map((text) => locks.request(name, () => void order.push(text)))
      const thief = hold(name, { steal: true })
      void thief.granted.then(() => order.push('thief'))
      await thief.granted
      await turn()
      expect(order).toEqual(['thief'])
      thief.release()
      await Promise.all([...waiting, thief.done])
      expect(order).toEqual(['thief', 'one', 'two'])
    })

    check('the last of several gets it', async () => {
      const name = newName()
      const holder = hold(name)
      await holder.granted
      const thieves = [1, 2, 3].map(() => hold(name, { steal: true }))
      await expect(holder.done).rejects.toEqual(aborted)
      await expect(thieves[0]!.done).rejects.toEqual(aborted)
      await expect(thieves[1]!.done).rejects.toEqual(aborted)
      await thieves[2]!.granted
      thieves[2]!.release()
      await expect(thieves[2]!.done).resolves.toBe('released')
      expect(await isFree(name)).toBe(true)
    })

    check("the robbed one's callback runs on, and its end takes nothing from the thief", async () => {
      for (const way of ['release', 'fail'] as const) {
        const name = newName()
        const holder = hold(name)
        await holder.granted
        const thief = hold(name, { steal: true })
        await thief.granted
        holder[way]('too late')
        await expect(holder.done).rejects.toEqual(aborted)
        await turn()
        expect(await isFree(name)).toBe(false)
        thief.release()
        await thief.done
        expect(await isFree(name)).toBe(true)
      }
    })

    check('a lock that is stolen before its callback ran still calls it', async () => {
      const name = newName()
      const victim = hold(name)
      const stealing = locks.request(name, { steal: true }, () => 'stolen')
      await expect(victim.done).rejects.toEqual(aborted)
      await expect(stealing).resolves.toBe('stolen')
      victim.release()
      await turn()
      expect(await isFree(name)).toBe(true)
    })

    check('takes nothing from other names', async () => {
      const holder = hold(newName())
      await holder.granted
      await locks.request(newName(), { steal: true }, () => {})
      holder.release()
      await expect(holder.done).resolves.toBe('released')
    })
  })
}
