import { getEventListeners } from 'node:events'
import { blocking, callWith, currentCall } from '@flatshare/apartment'
import { DisconnectedError } from '@flatshare/core'
import { describe, expect, it } from 'vitest'
import { gate } from '../apartments.js'
import type { Way } from '../threads/ways-to-die.js'
import { hasEnded } from './has-ended.js'
import type { Opener } from './opener.js'

type Module = typeof import('../threads/ways-to-die.js')

const module = new URL('../threads/ways-to-die.js', import.meta.url)
const ways = ['exit', 'throw', 'rejection', 'memory', 'terminate'] as const

const caught = (promise: PromiseLike<unknown>): Promise<any> =>
  Promise.resolve(promise).catch((error: unknown) => error)

export function waysToDie(open: Opener): void {
  const openDoomed = (way: Way | 'terminate') =>
    open<Module>(module, {
      name: 'doomed',
      ...(way === 'memory' && { resourceLimits: { maxOldGenerationSizeMb: 16 } }),
    })

  describe('S13 a thread that ends with calls pending in both directions', () => {
    it.each(ways)('by %s', async (way) => {
      const [doomed, other] = await Promise.all([openDoomed(way), open<Module>(module, { name: 'other' })])
      const [mortal, caller, holder, waiting, reporter, witness] = await Promise.all([
        doomed.create('Mortal'),
        doomed.create('Mortal'),
        doomed.create('Mortal'),
        doomed.create('Mortal'),
        other.create('Reporter'),
        other.create('Witness'),
      ])
      const { signal } = new AbortController()

      // To it: one that runs, one that waits its turn, one of another thread.
      const runs = gate()
      const running = caught(callWith(waiting, { signal }).forever(runs.open))
      const queued = caught(callWith(waiting, { signal }).ping())
      const fromOther = gate()
      const ofOther = reporter.call(mortal, fromOther.open)
      // From it: to this thread, and to another.
      const here = gate()
      let served: AbortSignal | undefined
      const out = caught(
        caller.callOut(() => {
          served = currentCall()!.signal
          here.open()
          return new Promise(() => {})
        }),
      )
      const there = gate()
      const toOther = caught(holder.hold(witness, there.open))
      await Promise.all([runs.opened, here.opened, there.opened, fromOther.opened])

      // `mortal` is in a call of its own: another object of the thread ends it.
      const last = await doomed.create('Mortal')
      const begun = gate()
      const ending = way === 'terminate' ? doomed.terminate() : caught(last.die(way, begun.open))
      const errors = await Promise.all([running, queued, out, toOther])
      for (const error of errors) {
        expect(error).toBeInstanceOf(DisconnectedError)
        expect(error.message).toMatch(
          new RegExp(`Mortal\\.\\w+\\(\\): ${hasEnded('doomed')}; the call may or may not have run`),
        )
        expect(error.mayHaveRun).toBe(true)
        expect(error.stack).toMatch(/ways-to-die/)
      }
      const causes = {
        exit: open.exited,
        terminate: open.killed,
        throw: { name: 'RangeError', message: 'by throw' },
        rejection: { name: 'RangeError', message: 'by rejection' },
        memory: open.outOfMemory,
      }
      if (causes[way]) expect(errors[0].cause).toMatchObject(causes[way])
      else expect(errors[0].cause).toBeUndefined()
      await ending
      expect(await ofOther).toMatch(new RegExp(`^DisconnectedError: Mortal\\.forever\\(\\): ${hasEnded('doomed')}`))

      // What it had called is served for nobody, and hears of it.
      expect(served?.aborted).toBe(true)
      if (!getEventListeners(served!, 'abort').length) expect(served!.reason).toMatchObject({ name: 'AbortError' })
      expect(getEventListeners(signal, 'abort')).toEqual([])

      const later = await caught(mortal.ping())
      expect(later).toBeInstanceOf(DisconnectedError)
      expect(later.mayHaveRun).toBe(false)
      // The witness answers never, also where it was called through this thread.
      await Promise.all([doomed.close(), other.close({ timeout: 50 })])
    })
  })

  describe('S13 a thread that ends while another blocks for its answer', () => {
    const told = new RegExp(
      `^DisconnectedError: Mortal\\.\\w+\\(\\): ${hasEnded('doomed')}; the call may or may not have run\\. true$`,
    )

    it.each(ways)('by %s', async (way) => {
      const [doomed, other] = await Promise.all([openDoomed(way), open<Module>(module, { name: 'other' })])
      const [mortal, reporter] = await Promise.all([doomed.create('Mortal'), other.create('Reporter')])
      const begun = gate()
      const blocks = reporter.block(mortal, way === 'terminate' ? undefined : way, begun.open)
      await begun.opened
      if (way === 'terminate') await doomed.terminate()
      expect(await blocks).toMatch(told)
      await Promise.all([doomed.close(), other.close()])
    })

    it.each(['exit', 'throw', 'rejection', 'memory'] as const)('by %s, the main thread', async (way) => {
      const doomed = await openDoomed(way)
      const mortal = await doomed.create('Mortal')
      const error = (() => {
        try {
          return blocking(mortal).die(way, () => {})
        } catch (error) {
          return error as DisconnectedError
        }
      })()
      expect(error).toBeInstanceOf(DisconnectedError)
      expect(error.mayHaveRun).toBe(true)
      expect(error.message).toMatch(new RegExp(`^Mortal\\.die\\(\\): ${hasEnded('doomed')}`))
      await doomed.close()
    })
  })

  it('S13 a thread that ends takes those with it that it had opened: calls to them reject', async () => {
    const outer = await open<Module>(module, { name: 'outer' })
    const far = await outer.remote.openInner()
    const begun = gate()
    const pending = caught(far.forever(begun.open))
    await begun.opened
    const exit = caught(outer.remote.exit())
    expect(await pending).toBeInstanceOf(DisconnectedError)
    // Without shared memory the one is reached through the other.
    expect((await pending).message).toMatch(new RegExp(hasEnded(open.sharesMemory ? 'inner' : 'outer')))
    expect(await exit).toBeInstanceOf(DisconnectedError)
    await outer.close()
  })

  it('S13 a thread that ends while many are opened and called settles everything', async () => {
    const apartments = await Promise.all(Array.from({ length: 4 }, () => open<Module>(module)))
    const mortals = await Promise.all(apartments.map((apartment) => apartment.create('Mortal')))
    const calls = mortals.flatMap((mortal) => Array.from({ length: 50 }, () => caught(mortal.ping())))
    await Promise.all(apartments.map((apartment) => apartment.terminate()))
    for (const end of await Promise.all(calls)) {
      if (end !== 'pong') expect(end).toBeInstanceOf(DisconnectedError)
    }
  })

  it('S13 opening that is given up in the middle leaves nothing behind', async () => {
    const controller = new AbortController()
    const opening = caught(open(module, { signal: controller.signal }))
    controller.abort()
    expect(await opening).toMatchObject({ name: 'AbortError' })
    expect(getEventListeners(controller.signal, 'abort')).toEqual([])
  })
}
