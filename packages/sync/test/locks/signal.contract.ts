/** Giving up. */
import { describe, expect } from 'vitest'
import { aborted, dom, type Kit, neverCalled, newName, turn } from './kit.js'

export function signalContract({ check, hold, isFree, locks, modes }: Kit): void {
  describe('signal', () => {
    check('aborted already: rejects with its reason, and nothing is requested', async () => {
      const name = newName()
      await expect(locks.request(name, { signal: AbortSignal.abort() }, neverCalled)).rejects.toEqual(aborted)
      await expect(locks.request(name, { signal: AbortSignal.abort('my reason') }, neverCalled)).rejects.toBe(
        'my reason',
      )
      const signal = AbortSignal.abort()
      await expect(locks.request(name, { signal }, neverCalled)).rejects.toBe(signal.reason)
      expect(await modes(name)).toEqual({ held: [], pending: [] })
    })

    check('aborted while waiting: rejects with its reason, and waits no longer', async () => {
      for (const reason of [undefined, 'my reason', null, 0]) {
        const name = newName()
        const holder = hold(name)
        await holder.granted
        const controller = new AbortController()
        const pending = locks.request(name, { signal: controller.signal }, neverCalled)
        expect(await modes(name)).toEqual({ held: ['exclusive'], pending: ['exclusive'] })
        controller.abort(reason)
        await expect(pending).rejects.toBe(controller.signal.reason)
        expect(await modes(name)).toEqual({ held: ['exclusive'], pending: [] })
        holder.release()
        await holder.done
        expect(await isFree(name)).toBe(true)
      }
    })

    check('a signal with a timeout ends the wait by its TimeoutError', async () => {
      const name = newName()
      const holder = hold(name)
      await holder.granted
      await expect(locks.request(name, { signal: AbortSignal.timeout(1) }, neverCalled)).rejects.toEqual(
        dom('TimeoutError'),
      )
      holder.release()
      await holder.done
    })

    check('aborted right after the request: the callback is not called, though the lock was free', async () => {
      const name = newName()
      const controller = new AbortController()
      const pending = locks.request(name, { signal: controller.signal }, neverCalled)
      controller.abort()
      await expect(pending).rejects.toBe(controller.signal.reason)
      await expect(locks.request(name, () => 'granted')).resolves.toBe('granted')
    })

    check('an aborted request lets those behind it through', async () => {
      const name = newName()
      const controller = new AbortController()
      const first = locks.request(name, { signal: controller.signal }, neverCalled)
      const next = locks.request(name, () => 'next')
      controller.abort()
      await expect(first).rejects.toEqual(aborted)
      await expect(next).resolves.toBe('next')

      const reader = hold(name, { mode: 'shared' })
      await reader.granted
      const second = new AbortController()
      const writer = locks.request(name, { signal: second.signal }, neverCalled)
      const late = hold(name, { mode: 'shared' })
      second.abort()
      await expect(writer).rejects.toEqual(aborted)
      await late.granted
      expect(await modes(name)).toEqual({ held: ['shared', 'shared'], pending: [] })
      reader.release()
      late.release()
      await Promise.all([reader.done, late.done])
    })

    check('one that waits in the middle goes without harm to the others', async () => {
      const name = newName()
      const holder = hold(name)
      await holder.granted
      const order: string[] = []
      const controller = new AbortController()
      const before = locks.request(name, () => void order.push('before'))
      const middle = locks.request(name, { signal: controller.signal }, neverCalled)
      const after = locks.request(name, () => void order.push('after'))
      controller.abort()
      await expect(middle).rejects.toEqual(aborted)
      holder.release()
      await Promise.all([before, after])
      expect(order).toEqual(['before', 'after'])
    })

    check('one signal ends many requests', async () => {
      const name = newName()
      const holder = hold(name)
      await holder.granted
      const controller = new AbortController()
      const { signal } = controller
      const all = [1, 2, 3].map(() => locks.request(name, { signal }, neverCalled))
      const last = locks.request(name, () => 'last')
      controller.abort()
      for (const pending of all) await expect(pending).rejects.toBe(signal.reason)
      holder.release()
      await expect(last).resolves.toBe('last')
    })

    check('does nothing once the callback has been called, or the lock released', async () => {
      for (const when of ['held', 'released']) {
        const name = newName()
        const controller = new AbortController()
        const holder = hold(name, { signal: controller.signal })
        await holder.granted
        if (when === 'released') holder.release('resolved')
        controller.abort()
        await turn()
        expect(await isFree(name)).toBe(when === 'released')
        holder.release('resolved')
        await expect(holder.done).resolves.toBe('resolved')
      }
    })

    check('that never aborts changes nothing', async () => {
      const { signal } = new AbortController()
      await expect(locks.request(newName(), { signal }, () => 'granted')).resolves.toBe('granted')
    })
  })
}
