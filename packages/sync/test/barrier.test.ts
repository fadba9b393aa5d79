import { inspect } from 'node:util'
import { CannotBlockError, marshal, modelOf, unmarshal } from '@flatshare/core'
import { allocate } from '@flatshare/core/internal'
import { Barrier } from '@flatshare/sync'
import { describe, expect, test } from 'vitest'
import { BARRIER_BYTES, makeBarrier } from '../dist/barrier-core.js'
import { sharedMemory } from '../dist/sync-memory.js'
import { makeWaitQueues } from '../dist/wait-queue.js'
import { makeWaiting } from '../dist/waiting.js'
import { turn } from './threads/start.js'

const timeout = expect.objectContaining({ name: 'TimeoutError' })

describe('Barrier', () => {
  test('refuses parties and options that are none, before it does anything', async () => {
    for (const bad of [0, -1, 1.5, 2 ** 30, Number.NaN, '3' as never, undefined as never]) {
      expect(() => new Barrier(bad)).toThrow(RangeError)
    }
    expect(() => new Barrier(2, 5 as never)).toThrow(TypeError)
    expect(() => new Barrier(2, { name: 5 as never })).toThrow(TypeError)
    const barrier = new Barrier(1)
    for (const bad of [-1, Number.NaN, '5' as never]) {
      expect(() => barrier.waitSync({ timeout: bad })).toThrow(RangeError)
      await expect(barrier.wait({ timeout: bad })).rejects.toThrow(RangeError)
    }
    await expect(barrier.wait({ signal: {} as never })).rejects.toThrow(TypeError)
    await expect(barrier.wait({ signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough')
    // Nobody has passed before.
    expect(barrier.waitSync()).toEqual({ isLeader: true, generation: 0 })
  })

  test('lets all go when the last has arrived, who is the leader, again and again', async () => {
    const barrier = new Barrier(3)
    expect([barrier.parties, barrier.arrived]).toEqual([3, 0])
    for (let generation = 0; generation < 3; generation++) {
      let passed = 0
      const others = [1, 2].map(async () => {
        const passage = await barrier.wait()
        passed++
        return passage
      })
      await turn()
      expect([barrier.arrived, passed]).toEqual([2, 0])
      // The blocking arrival of the same thread is the third.
      const last = generation % 2 ? await barrier.wait() : barrier.waitSync()
      expect(last).toEqual({ isLeader: true, generation })
      const rest = { isLeader: false, generation }
      expect(await Promise.all(others)).toEqual([rest, rest])
      expect(barrier.arrived).toBe(0)
    }
  })

  test('those that arrive beyond its parties are the next generation', async () => {
    const barrier = new Barrier(2)
    const passages = await Promise.all([1, 2, 3, 4].map(() => barrier.wait()))
    expect(passages).toEqual([
      { isLeader: false, generation: 0 },
      { isLeader: true, generation: 0 },
      { isLeader: false, generation: 1 },
      { isLeader: true, generation: 1 },
    ])
  })

  test('who gives up takes the arrival back', async () => {
    const barrier = new Barrier(2, { name: 'phase' })
    const controller = new AbortController()
    const reason = new Error('enough')
    const aborted = barrier.wait({ signal: controller.signal })
    expect(barrier.arrived).toBe(1)
    controller.abort(reason)
    await expect(aborted).rejects.toBe(reason)
    expect(barrier.arrived).toBe(0)
    await expect(barrier.wait({ timeout: 5 })).rejects.toEqual(timeout)
    await expect(barrier.wait({ timeout: 0 })).rejects.toThrow('Waited 0 ms for the 2 parties of barrier "phase".')
    expect(() => barrier.waitSync({ timeout: 1 })).toThrow('Waited 1 ms for the 2 parties of barrier "phase".')
    expect(barrier.arrived).toBe(0)
    const first = barrier.wait()
    expect(barrier.waitSync({ timeout: 0 })).toEqual({ isLeader: true, generation: 0 })
    expect(await first).toEqual({ isLeader: false, generation: 0 })
  })

  test('S8 crosses as itself, the same object each time', () => {
    const barrier = new Barrier(3, { name: 'phase' })
    expect(modelOf(barrier)).toBe('free')
    expect(unmarshal(marshal(barrier)[0])).toBe(barrier)
  })

  test('shows its name and its state', async () => {
    const barrier = new Barrier(2, { name: 'phase' })
    expect(inspect(barrier)).toBe('Barrier "phase" (0 of 2 arrived)')
    const first = barrier.wait()
    expect(inspect(barrier)).toBe('Barrier "phase" (1 of 2 arrived)')
    await Promise.all([first, barrier.wait()])
    expect(inspect(new Barrier(2))).toMatch(/^Barrier #\d+ \(0 of 2 arrived\)$/)
  })

  test('where its thread may not block, others that do not come are an error that names the way out', () => {
    const barrier = makeBarrier(makeWaiting(makeWaitQueues({ ...sharedMemory, canBlock: () => false })))
    const address = allocate(BARRIER_BYTES)
    sharedMemory.store(address, 2)
    const options = { what: () => 'barrier "phase"', instead: 'await the barrier, by wait()' }
    expect(() => barrier.waitSync(address, options)).toThrow(CannotBlockError)
    expect(() => barrier.waitSync(address, options)).toThrow(/barrier "phase".*wait\(\)/)
    expect(barrier.arrived(address)).toBe(0)
  })
})
