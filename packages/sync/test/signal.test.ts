import { inspect } from 'node:util'
import { CannotBlockError, marshal, modelOf, unmarshal } from '@flatshare/core'
import { allocate } from '@flatshare/core/internal'
import { Signal } from '@flatshare/sync'
import { describe, expect, test } from 'vitest'
import { AUTOMATIC, makeSignal, SIGNAL_BYTES } from '../dist/signal-core.js'
import { sharedMemory } from '../dist/sync-memory.js'
import { makeWaitQueues } from '../dist/wait-queue.js'
import { makeWaiting } from '../dist/waiting.js'
import { turn } from './threads/start.js'

const timeout = expect.objectContaining({ name: 'TimeoutError' })

/** In which order promises have settled so far. */
function settled(promises: readonly Promise<unknown>[]): number[] {
  const order: number[] = []
  for (const [i, promise] of promises.entries()) void promise.then(() => order.push(i))
  return order
}

describe('Signal', () => {
  test('refuses options that are none, before it does anything', async () => {
    expect(() => new Signal(5 as never)).toThrow(TypeError)
    expect(() => new Signal({ name: 5 as never })).toThrow(TypeError)
    expect(() => new Signal({ reset: 'auto' as never })).toThrow(/'manual' or 'automatic'/)
    expect(() => new Signal({ set: 1 as never })).toThrow(TypeError)
    const signal = new Signal({ reset: 'automatic', set: true })
    for (const bad of [-1, Number.NaN, '5' as never]) {
      expect(() => signal.waitSync({ timeout: bad })).toThrow(RangeError)
      await expect(signal.wait({ timeout: bad })).rejects.toThrow(RangeError)
    }
    await expect(signal.wait({ signal: {} as never })).rejects.toThrow(TypeError)
    await expect(signal.wait({ signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough')
    expect(signal.isSet).toBe(true)
  })

  test('a manual signal lets all go from set to reset', async () => {
    const signal = new Signal()
    expect(signal.isSet).toBe(false)
    expect(signal.tryWait()).toBe(false)
    expect(() => signal.waitSync({ timeout: 0 })).toThrow(timeout)
    signal.set()
    signal.set()
    expect([signal.tryWait(), signal.tryWait(), signal.isSet]).toEqual([true, true, true])
    signal.waitSync()
    signal.waitSync({ timeout: 0 })
    await signal.wait()
    await signal.wait({ timeout: 0 })
    signal.reset()
    signal.reset()
    expect([signal.tryWait(), signal.isSet]).toEqual([false, false])
  })

  test('who waits when a manual signal is set goes, though it is reset at once', async () => {
    const signal = new Signal()
    const waiting = [signal.wait(), signal.wait({ timeout: 10_000 }), signal.wait()]
    signal.set()
    signal.reset()
    await Promise.all(waiting)
    expect(signal.isSet).toBe(false)
  })

  test('an automatic signal lets one go for each set, in order, and remembers one', async () => {
    const signal = new Signal({ reset: 'automatic' })
    const waiting = [signal.wait(), signal.wait(), signal.wait()]
    const order = settled(waiting)
    signal.set()
    await turn()
    expect(order).toEqual([0])
    signal.set()
    signal.set()
    await turn()
    expect(order).toEqual([0, 1, 2])
    expect(signal.isSet).toBe(false)
    signal.set()
    signal.set()
    expect([signal.isSet, signal.tryWait(), signal.tryWait(), signal.isSet]).toEqual([true, true, false, false])
    signal.set()
    signal.waitSync()
    expect(() => signal.waitSync({ timeout: 1 })).toThrow(timeout)
    signal.set()
    await signal.wait()
    signal.set()
    signal.reset()
    expect(signal.tryWait()).toBe(false)
  })

  test('is set from the start, if so made', () => {
    expect(new Signal({ set: true }).isSet).toBe(true)
    const signal = new Signal({ set: true, reset: 'automatic' })
    expect([signal.isSet, signal.tryWait(), signal.isSet]).toEqual([true, true, false])
  })

  test('who gives up by timeout or signal leaves no trace and takes nobody’s turn', async () => {
    const signal = new Signal({ name: 'ready', reset: 'automatic' })
    const controller = new AbortController()
    const reason = new Error('enough')
    const aborted = signal.wait({ signal: controller.signal })
    const late = signal.wait({ timeout: 5 })
    const served = signal.wait()
    controller.abort(reason)
    await expect(aborted).rejects.toBe(reason)
    await expect(late).rejects.toEqual(timeout)
    await expect(late).rejects.toThrow('Waited 5 ms for signal "ready".')
    expect(() => signal.waitSync({ timeout: 1 })).toThrow('Waited 1 ms for signal "ready".')
    signal.set()
    await served
    expect(signal.isSet).toBe(false)
  })

  test('who is let go in the same moment as he gives up goes', async () => {
    const signal = new Signal({ reset: 'automatic' })
    const controller = new AbortController()
    const served = signal.wait({ signal: controller.signal })
    signal.set()
    controller.abort()
    await served
    expect(signal.isSet).toBe(false)
  })

  test('S8 crosses as itself, the same object each time', () => {
    const signal = new Signal({ name: 'ready', reset: 'automatic' })
    expect(modelOf(signal)).toBe('free')
    expect(unmarshal(marshal(signal)[0])).toBe(signal)
  })

  test('shows its name and its state', () => {
    const signal = new Signal({ name: 'ready' })
    expect(inspect(signal)).toBe('Signal "ready" (manual, not set)')
    signal.set()
    expect(inspect(signal)).toBe('Signal "ready" (manual, set)')
    expect(inspect(new Signal({ reset: 'automatic' }))).toMatch(/^Signal #\d+ \(automatic, not set\)$/)
  })

  test('where its thread may not block, a signal that does not come is an error that names the way out', () => {
    const signal = makeSignal(makeWaiting(makeWaitQueues({ ...sharedMemory, canBlock: () => false })))
    const address = allocate(SIGNAL_BYTES)
    sharedMemory.store(address, AUTOMATIC)
    const options = { what: () => 'signal "ready"', instead: 'await the signal, by wait()' }
    expect(() => signal.waitSync(address, options)).toThrow(CannotBlockError)
    expect(() => signal.waitSync(address, options)).toThrow(/signal "ready".*wait\(\)/)
    signal.set(address)
    signal.waitSync(address, options)
    expect(signal.isSet(address)).toBe(false)
  })
})
