import { getEventListeners } from 'node:events'
import { type Apartment, blocking, callWith, type Remote } from '@flatshare/apartment'
import { DisconnectedError } from '@flatshare/core'
import { isAlive } from '@flatshare/core/internal'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { gate } from '../apartments.js'
import { type Busy, Cell, newCells, untilBegun } from '../threads/giving-up.js'
import type { Opener } from './opener.js'

type Module = typeof import('../threads/giving-up.js')

const module = new URL('../threads/giving-up.js', import.meta.url)
const turn = () => new Promise((resolve) => setImmediate(resolve))
const listeners = (signal: AbortSignal) => getEventListeners(signal, 'abort').length

export function givenUp(open: Opener): void {
  let apartment: Apartment<Module>
  let other: Apartment<Module>
  let busy: Remote<Busy>

  beforeAll(async () => {
    ;[apartment, other] = await Promise.all([open<Module>(module, { name: 'busy' }), open<Module>(module)])
    busy = await apartment.create('Busy')
  })
  afterAll(() => Promise.all([apartment.close(), other.close()]))

  /** Processes tell each other how much time is left; on its way some of that passes. */
  function expectPassedOn(inner: number, outer: number): void {
    if (open.sharesMemory) expect(inner).toBe(outer)
    else {
      expect(inner).toBeGreaterThanOrEqual(outer)
      expect(inner).toBeLessThan(outer + 20_000)
    }
  }

  describe('S14 a callee in a busy loop sees it at once', () => {
    // In a busy loop nothing is received: only shared memory is seen.
    it.runIf(open.sharesMemory)('by its signal, when the caller aborts', async () => {
      const controller = new AbortController()
      const cells = newCells(open.sharesMemory)
      const pending = callWith(busy, { signal: controller.signal }).spin(cells)
      await cells.untilSet(Cell.begun)
      controller.abort()
      await expect(pending).rejects.toBe(controller.signal.reason)
      await cells.untilSet(Cell.ended)
      expect(await busy.seen()).toMatchObject({ name: 'AbortError' })
    })

    it.runIf(open.sharesMemory)('by throwIfAborted', async () => {
      const controller = new AbortController()
      const cells = newCells(open.sharesMemory)
      const pending = callWith(busy, { signal: controller.signal }).spinUntilThrown(cells)
      await cells.untilSet(Cell.begun)
      controller.abort(new RangeError('enough'))
      await expect(pending).rejects.toThrow('enough')
      await cells.untilSet(Cell.ended)
      expect(await busy.seen()).toMatchObject({ name: 'AbortError' })
    })

    it('by the clock, when the deadline passes', async () => {
      const { error, cells } = await untilBegun(
        (timeout, cells) => callWith(busy, { timeout }).spin(cells),
        open.sharesMemory,
      )
      expect(error).toMatchObject({ name: 'TimeoutError' })
      expect(error.message).toMatch(
        /^Busy\.spin\(\): no answer from the thread "busy" in time|^Busy\.spin\(\): its result came after the caller's deadline/,
      )
      expect(error.stack).toMatch(/given-up/)
      await cells.untilSet(Cell.ended)
      expect(cells.load(Cell.timedOut)).toBe(1)
    })

    it.runIf(open.sharesMemory)('when the thread that called has ended', async () => {
      const doomed = await open<Module>(module)
      const caller = await doomed.create('Caller')
      const cells = newCells(open.sharesMemory)
      const pending = caller.spin(busy, cells).catch((error: unknown) => error)
      await cells.untilSet(Cell.begun)
      await doomed.terminate()
      expect(await pending).toBeInstanceOf(DisconnectedError)
      await cells.untilSet(Cell.ended)
      expect(await busy.seen()).toMatchObject({ name: 'AbortError', message: expect.stringMatching('has ended') })
    })

    it.runIf(open.sharesMemory)(
      'and its signal stays one in every way: the event follows, the reason stays',
      async () => {
        const controller = new AbortController()
        const cells = newCells(open.sharesMemory)
        const pending = callWith(busy, { signal: controller.signal }).eventAfter(cells)
        await cells.untilSet(Cell.begun)
        controller.abort(new RangeError('enough'))
        await expect(pending).rejects.toThrow('enough')
        await cells.untilSet(Cell.ended)
        expect(await busy.heard()).toEqual([true, true, true, true, true, true])
      },
    )

    it('and calls that were not given up see nothing, also in cells that were used before', async () => {
      const controller = new AbortController()
      const calls = Array.from({ length: 200 }, () => callWith(busy, { signal: controller.signal }).keepSignal())
      expect(await Promise.all(calls)).toEqual(calls.map(() => false))
      expect(await callWith(busy, { signal: controller.signal }).keepSignal()).toBe(false)
      controller.abort()
      // That call has settled: its signal stays as it was.
      expect(await busy.keptAborted()).toBe(false)
    })
  })

  it('S14 a callee that listens hears that the thread that called has ended', async () => {
    const doomed = await open<Module>(module)
    const [caller, there] = await Promise.all([doomed.create('Caller'), apartment.create('Busy')])
    const begun = gate()
    const pending = caller.listen(there, begun.open).catch((error: unknown) => error)
    await begun.opened
    await doomed.terminate()
    expect(await pending).toBeInstanceOf(DisconnectedError)
    while (!(await there.seen()));
    expect(await there.seen()).toMatchObject({ name: 'AbortError', message: expect.stringMatching('has ended') })
  })

  describe('S14 the reason', () => {
    it('is the caller’s own, as it is listened for', async () => {
      const begun = gate()
      const controller = new AbortController()
      const pending = callWith(busy, { signal: controller.signal }).listen(begun.open)
      await begun.opened
      controller.abort(Object.assign(new RangeError('enough'), { page: 3 }))
      await expect(pending).rejects.toBe(controller.signal.reason)
      const seen = await busy.seen()
      expect(seen).toBeInstanceOf(RangeError)
      expect(seen).toMatchObject({ message: 'enough', page: 3 })
    })

    it('that can’t cross frees the caller all the same; the callee gets an AbortError', async () => {
      const begun = gate()
      const controller = new AbortController()
      const pending = callWith(busy, { signal: controller.signal }).listen(begun.open)
      await begun.opened
      const reason = new WeakMap()
      controller.abort(reason)
      await expect(pending).rejects.toBe(reason)
      expect(await busy.seen()).toMatchObject({ name: 'AbortError' })
    })
  })

  describe('S14 what waits', () => {
    it('its turn is answered at once when it is given up, and never runs', async () => {
      const log = await apartment.create('Log')
      const { open: go, opened } = gate()
      const first = log.hold(() => opened)
      const controller = new AbortController()
      const waiting = callWith(log, { signal: controller.signal }).write('never')
      await apartment.remote.double(1)
      controller.abort()
      await expect(waiting).rejects.toMatchObject({ name: 'AbortError' })
      go()
      await first
      expect(await log.write('after')).toEqual(['after'])
    })

    it('its turn when its caller’s thread ends never runs', async () => {
      const doomed = await open<Module>(module)
      const [caller, log] = await Promise.all([doomed.create('Caller'), apartment.create('Log')])
      const { open: go, opened } = gate()
      const first = log.hold(() => opened)
      const waiting = caller.note(log, 'never').catch((error: unknown) => error)
      await doomed.remote.double(1)
      await doomed.terminate()
      expect(await waiting).toBeInstanceOf(DisconnectedError)
      while (isAlive(doomed.threadId)) await turn()
      go()
      await first
      expect(await log.write('after')).toEqual(['after'])
    })

    it('past its deadline never runs', async () => {
      const log = await apartment.create('Log')
      const { open: go, opened } = gate()
      const first = log.hold(() => opened)
      await expect(callWith(log, { timeout: 1 }).write('never')).rejects.toMatchObject({ name: 'TimeoutError' })
      go()
      await first
      expect(await log.write('after')).toEqual(['after'])
    })

    it('no time at all makes no call', async () => {
      const log = await apartment.create('Log')
      await expect(callWith(log, { timeout: 0 }).write('never')).rejects.toThrow(
        /Log\.write\(\): no time is left; the call was not made/,
      )
      expect(await log.length).toBe(0)
    })
  })

  it('S14 a deadline passes on to nested calls, the earlier one if they have their own', async () => {
    const there = await other.create('Busy')
    const [outer, inner] = (await callWith(busy, { timeout: 60_000 }).deadlines(there)) as number[]
    expectPassedOn(inner!, outer!)
    expect(outer).toBeGreaterThan(Date.now() + 50_000)
    const [later, earlier] = (await callWith(busy, { timeout: 60_000 }).deadlines(there, 30_000)) as number[]
    expect(earlier).toBeLessThan(later! - 20_000)
    const [same, longer] = (await callWith(busy, { timeout: 60_000 }).deadlines(there, 90_000)) as number[]
    expectPassedOn(longer!, same!)
    expect(await busy.deadlines(there)).toEqual([undefined, undefined])
  })

  describe('signals', () => {
    it('get one listener for all calls that carry them, and none once these have settled', async () => {
      const warning = vi.fn()
      process.on('warning', warning)
      const { signal } = new AbortController()
      const view = callWith(busy, { signal })
      const calls = Array.from({ length: 50 }, () => view.ping())
      expect(listeners(signal)).toBe(1)
      await Promise.all(calls)
      expect(listeners(signal)).toBe(0)
      await turn()
      process.off('warning', warning)
      expect(warning).not.toHaveBeenCalled()
    })

    it('have none left however a call settles', async () => {
      const doomed = await open<Module>(module)
      const there = await doomed.create('Busy')
      const controller = new AbortController()
      const { signal } = controller
      const view: any = callWith(busy, { signal })
      await callWith(there, { signal }).ping()
      await expect(view.deadlines()).rejects.toBeInstanceOf(TypeError)
      await expect(view.waitFor(Symbol('s'))).rejects.toThrow("can't cross")
      await expect(callWith(view, { timeout: 1 }).listen(() => {})).rejects.toMatchObject({ name: 'TimeoutError' })
      expect(listeners(signal)).toBe(0)
      const begun = gate()
      const pending = callWith(there, { signal }).listen(begun.open)
      const beside = callWith(busy, { signal }).listen(() => {})
      await begun.opened
      expect(listeners(signal)).toBe(1)
      await doomed.terminate()
      await expect(pending).rejects.toBeInstanceOf(DisconnectedError)
      expect(listeners(signal)).toBe(1)
      controller.abort()
      await expect(beside).rejects.toMatchObject({ name: 'AbortError' })
      expect(listeners(signal)).toBe(0)
      await expect(callWith(busy, { signal }).ping()).rejects.toBe(signal.reason)
      expect(listeners(signal)).toBe(0)
    })
  })

  describe('a call that blocks', () => {
    it('S14 ends at its deadline, and its callee sees it in a busy loop', async () => {
      const { error, cells } = await untilBegun(
        (timeout, cells) => blocking(callWith(busy, { timeout })).spin(cells),
        open.sharesMemory,
      )
      expect(error).toMatchObject({ name: 'TimeoutError' })
      await cells.untilSet(Cell.ended)
    })

    it('S14 ends when the call that it belongs to is given up, if it carries its signal', async () => {
      const caller = await other.create('Caller')
      const controller = new AbortController()
      const begun = gate()
      const pending = callWith(caller, { signal: controller.signal }).blockOnListener(busy, begun.open)
      await begun.opened
      controller.abort(new RangeError('enough'))
      await expect(pending).rejects.toThrow('enough')
      expect(await other.remote.double(2)).toBe(4)
      expect(await busy.ping()).toBe('pong')
    })

    // In a busy loop nothing is received: only shared memory is seen.
    it.runIf(open.sharesMemory)('S14 so it does where its callee is in a busy loop', async () => {
      const caller = await other.create('Caller')
      const controller = new AbortController()
      const cells = newCells(open.sharesMemory)
      const pending = callWith(caller, { signal: controller.signal }).block(busy, cells)
      await cells.untilSet(Cell.begun)
      controller.abort(new RangeError('enough'))
      await expect(pending).rejects.toThrow('enough')
      await cells.untilSet(Cell.ended)
      expect(await busy.ping()).toBe('pong')
      expect(await other.remote.double(2)).toBe(4)
    })

    it('S14 passes the deadline on', async () => {
      const caller = await other.create('Caller')
      const [outer, inner] = await callWith(caller, { timeout: 60_000 }).blockForDeadline(busy)
      expect(outer).toBeGreaterThan(Date.now())
      expectPassedOn(inner!, outer!)
    })

    it('takes its settings before and after', async () => {
      const log = await apartment.create('Log')
      expect(callWith(blocking(log), { timeout: 60_000 }).write('a')).toEqual(['a'])
      expect(callWith(blocking(log), { reply: false }).write('b')).toBeUndefined()
      expect(blocking(callWith(log, { reply: false })).write('c')).toBeUndefined()
      expect(blocking(log).write('d')).toEqual(['a', 'b', 'c', 'd'])
      const reason = new Error('no more')
      expect(() => callWith(blocking(log), { signal: AbortSignal.abort(reason) }).write('never')).toThrow(reason)
    })
  })
}
