import { inspect } from 'node:util'
import { CannotBlockError, marshal, modelOf, unmarshal } from '@flatshare/core'
import { allocate } from '@flatshare/core/internal'
import { Latch } from '@flatshare/sync'
import { describe, expect, test } from 'vitest'
import { LATCH_BYTES, makeLatch } from '../dist/latch-core.js'
import { sharedMemory } from '../dist/sync-memory.js'
import { makeWaitQueues } from '../dist/wait-queue.js'
import { makeWaiting } from '../dist/waiting.js'

const timeout = expect.objectContaining({ name: 'TimeoutError' })

describe('Latch', () => {
  test('refuses counts and options that are none, before it does anything', async () => {
    for (const bad of [-1, 1.5, 2 ** 31, Number.NaN, '3' as never, undefined as never]) {
      expect(() => new Latch(bad)).toThrow(RangeError)
    }
    expect(() => new Latch(1, 'name' as never)).toThrow(TypeError)
    expect(() => new Latch(1, { name: 5 as never })).toThrow(TypeError)
    const latch = new Latch(2)
    for (const bad of [-1, 0.5, '1' as never]) expect(() => latch.countDown(bad)).toThrow(RangeError)
    for (const bad of [-1, Number.NaN, '5' as never]) {
      expect(() => latch.waitSync({ timeout: bad })).toThrow(RangeError)
      expect(() => latch.arriveAndWaitSync({ timeout: bad })).toThrow(RangeError)
      await expect(latch.wait({ timeout: bad })).rejects.toThrow(RangeError)
      await expect(latch.arriveAndWait({ timeout: bad })).rejects.toThrow(RangeError)
    }
    const aborted = AbortSignal.abort(new Error('enough'))
    await expect(latch.arriveAndWait({ signal: aborted })).rejects.toThrow('enough')
    await expect(latch.wait({ signal: aborted })).rejects.toThrow('enough')
    expect(latch.count).toBe(2)
  })

  test('counts down, opens at 0 for all, and stays open', async () => {
    const latch = new Latch(3)
    expect([latch.count, latch.isOpen, latch.tryWait()]).toEqual([3, false, false])
    let went = 0
    const waiting = [1, 2].map(() => latch.wait().then(() => went++))
    latch.countDown()
    latch.countDown(0)
    expect(latch.count).toBe(2)
    expect(() => latch.waitSync({ timeout: 1 })).toThrow(timeout)
    expect(went).toBe(0)
    latch.countDown(2)
    await Promise.all(waiting)
    expect([latch.count, latch.isOpen, latch.tryWait(), went]).toEqual([0, true, true, 2])
    latch.waitSync()
    await latch.wait()
    await latch.wait({ timeout: 0 })
    latch.countDown(0)
  })

  test('is open at once when there is nothing to count', async () => {
    const latch = new Latch(0)
    expect(latch.isOpen).toBe(true)
    latch.waitSync({ timeout: 0 })
    await latch.wait({ timeout: 0 })
  })

  test('counting below 0 is an error that counts nothing', () => {
    const latch = new Latch(2, { name: 'loaded' })
    expect(() => latch.countDown(3)).toThrow(RangeError)
    expect(() => latch.countDown(3)).toThrow('latch "loaded" can\'t be counted down by 3: 2 are left')
    expect(latch.count).toBe(2)
    latch.countDown(2)
    expect(() => latch.countDown()).toThrow(/open already/)
    expect(() => latch.arriveAndWaitSync()).toThrow(RangeError)
    expect(latch.count).toBe(0)
  })

  test('who arrives and gives up waiting has counted', async () => {
    const latch = new Latch(3, { name: 'loaded' })
    expect(() => latch.arriveAndWaitSync({ timeout: 1 })).toThrow(
      'Waited 1 ms for latch "loaded", with 2 left to count down.',
    )
    await expect(latch.arriveAndWait({ timeout: 1 })).rejects.toThrow(
      'Waited 1 ms for latch "loaded", with 1 left to count down.',
    )
    await latch.arriveAndWait()
    expect(latch.isOpen).toBe(true)
  })

  test('who gives up by timeout or signal leaves no trace', async () => {
    const latch = new Latch(1)
    const controller = new AbortController()
    const reason = new Error('enough')
    const aborted = latch.wait({ signal: controller.signal })
    const late = latch.wait({ timeout: 5 })
    const served = latch.wait()
    controller.abort(reason)
    await expect(aborted).rejects.toBe(reason)
    await expect(late).rejects.toEqual(timeout)
    latch.countDown()
    await served
  })

  test('S8 crosses as itself, the same object each time', () => {
    const latch = new Latch(3, { name: 'loaded' })
    expect(modelOf(latch)).toBe('free')
    expect(unmarshal(marshal(latch)[0])).toBe(latch)
  })

  test('shows its name and its state', () => {
    const latch = new Latch(2, { name: 'loaded' })
    expect(inspect(latch)).toBe('Latch "loaded" (2 left)')
    latch.countDown(2)
    expect(inspect(latch)).toBe('Latch "loaded" (open)')
    expect(inspect(new Latch(1))).toMatch(/^Latch #\d+ \(1 left\)$/)
  })

  test('where its thread may not block, a closed latch is an error that names the way out', () => {
    const latch = makeLatch(makeWaiting(makeWaitQueues({ ...sharedMemory, canBlock: () => false })))
    const address = allocate(LATCH_BYTES)
    sharedMemory.store(address, 1)
    const options = { what: () => 'latch "loaded"', instead: 'await the latch, by wait()' }
    expect(() => latch.waitSync(address, options)).toThrow(CannotBlockError)
    expect(() => latch.waitSync(address, options)).toThrow(/latch "loaded".*wait\(\)/)
    latch.countDown(address, 1)
    latch.waitSync(address, options)
    expect(latch.isOpen(address)).toBe(true)
  })
})
