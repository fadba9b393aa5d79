import { type Apartment, blocking, callWith, type Remote } from '@flatshare/apartment'
import { onGone } from '@flatshare/apartment/internal'
import { DisconnectedError, FlatshareError } from '@flatshare/core'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { gate } from '../apartments.js'
import type { Cells } from '../threads/cells.js'
import { type Busy, Cell, newCells, untilBegun } from '../threads/giving-up.js'
import type { Opener } from './opener.js'

type Module = typeof import('../threads/giving-up.js')

const module = new URL('../threads/giving-up.js', import.meta.url)

export function terminated(open: Opener): void {
  let apartment: Apartment<Module>
  let busy: Remote<Busy>

  beforeAll(async () => {
    apartment = await open<Module>(module, { name: 'busy' })
    busy = await apartment.create('Busy')
  })
  afterAll(() => apartment.close())

  const settings = { onAbort: 'terminate', graceTime: 1 } as const

  /** As `untilBegun`, with a new apartment for each call: in another process it ends also where the call had not begun. */
  async function endedBy(call: (busy: Remote<Busy>, timeout: number, cells: Cells) => unknown) {
    let last: { doomed: Apartment<Module>; there: Remote<Busy>; gone: Promise<void> } | undefined
    const { error } = await untilBegun(async (timeout, cells) => {
      await last?.doomed.terminate()
      const doomed = await open<Module>(module)
      const there = await doomed.create('Busy')
      last = { doomed, there, gone: new Promise<void>((resolve) => void onGone(there, resolve)) }
      await call(there, timeout, cells)
    }, open.sharesMemory)
    return { error, ...last! }
  }

  describe('onAbort: terminate', () => {
    it('ends the thread of a call that was given up and goes on', async () => {
      const doomed = await open<Module>(module, { name: 'deaf' })
      const there = await doomed.create('Busy')
      const controller = new AbortController()
      const cells = newCells(open.sharesMemory)
      const view = callWith(there, { signal: controller.signal, onAbort: 'terminate', graceTime: 1 })
      const pending = view.forever(cells)
      await cells.untilSet(Cell.begun)
      const beside = there.ping().catch((error: unknown) => error)
      controller.abort()
      await expect(pending).rejects.toBe(controller.signal.reason)
      const error: any = await beside
      expect(error).toBeInstanceOf(DisconnectedError)
      expect(error.cause).toBeInstanceOf(FlatshareError)
      expect(error.cause.message).toBe(
        'The thread "deaf" was ended: Busy.forever() had been given up, and went on for 1 ms.',
      )
      await doomed.close()
    })

    it('by a deadline, too', async () => {
      const { error, doomed, there, gone } = await endedBy((busy, timeout, cells) =>
        callWith(busy, { ...settings, timeout }).forever(cells),
      )
      expect(error).toMatchObject({ name: 'TimeoutError' })
      await gone
      await expect(there.ping()).rejects.toBeInstanceOf(DisconnectedError)
      await doomed.close()
    })

    it('leaves alone the thread of one that ends in time, or that waits its turn', async () => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
      try {
        const controller = new AbortController()
        const begun = gate()
        const settings = { signal: controller.signal, onAbort: 'terminate', graceTime: 1_000 } as const
        const listens = callWith(busy, settings).listen(begun.open)
        await begun.opened
        const log = await apartment.create('Log')
        const { open: go, opened } = gate()
        const inside = gate()
        const holds = log.hold(() => {
          inside.open()
          return opened
        })
        await inside.opened
        const waits = callWith(log, settings).write('never')
        controller.abort()
        await Promise.allSettled([listens, waits])
        // What is sent after is answered after.
        expect(await busy.ping()).toBe('pong')
        expect(vi.getTimerCount()).toBe(0)
        go()
        await holds
        expect(await log.write('after')).toEqual(['after'])
      } finally {
        vi.useRealTimers()
      }
    })

    // Whether a call has begun is seen in shared memory.
    it.runIf(open.sharesMemory)('leaves alone a thread that is busy with another call', async () => {
      const doomed = await open<Module>(module)
      const there = await doomed.create('Busy')
      const cells = newCells(open.sharesMemory)
      const spins = new AbortController()
      const spinning = callWith(there, { signal: spins.signal }).spin(cells)
      await cells.untilSet(Cell.begun)
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
      try {
        const controller = new AbortController()
        const waits = callWith(there, { signal: controller.signal, onAbort: 'terminate' }).ping()
        controller.abort()
        await expect(waits).rejects.toMatchObject({ name: 'AbortError' })
        expect(vi.getTimerCount()).toBe(1)
        vi.advanceTimersByTime(100)
      } finally {
        vi.useRealTimers()
      }
      spins.abort()
      await expect(spinning).rejects.toMatchObject({ name: 'AbortError' })
      await cells.untilSet(Cell.ended)
      expect(await there.ping()).toBe('pong')
      await doomed.close()
    })

    it('is refused where the thread is not this one’s to end', async () => {
      const outer = await open<typeof import('../threads/nested.js')>(new URL('../threads/nested.js', import.meta.url))
      const far = await outer.remote.openInner()
      expect(() => callWith(far, { onAbort: 'terminate' })).toThrow(
        /onAbort: 'terminate' ends the thread "inner", and only the thread that has opened it, or attached to it/,
      )
      await outer.remote.closeInner()
      await outer.close()
    })

    it('does so after a call that blocked', async () => {
      const { error, doomed, gone } = await endedBy((busy, timeout, cells) =>
        blocking(callWith(busy, { ...settings, timeout })).forever(cells),
      )
      expect(error).toMatchObject({ name: 'TimeoutError' })
      await gone
      await doomed.close()
    })
  })
}
