import { CannotBlockError } from '@flatshare/core'
import { allocate, i32, ownThreadId } from '@flatshare/core/internal'
import {
  acquire,
  acquireSync,
  holderOf,
  LOCK_BYTES,
  release,
  releaseContended,
  tryAcquire,
} from '@flatshare/sync/internal'
import { describe, expect, test } from 'vitest'
import { makeLock } from '../dist/lock.js'
import { type SyncMemory, sharedMemory } from '../dist/sync-memory.js'
import { makeWaitQueues } from '../dist/wait-queue.js'
import { makeWaiting } from '../dist/waiting.js'

const lockOver = (memory: SyncMemory) => makeLock(makeWaiting(makeWaitQueues(memory)))

describe('a lock at an address', () => {
  test('its word is the owner, and 0 when free', async () => {
    const address = allocate(LOCK_BYTES)
    const me = ownThreadId()
    expect(tryAcquire(address)).toBe('acquired')
    expect(i32[address >> 2]).toBe(me)
    expect(holderOf(address)).toBe(me)
    expect(tryAcquire(address)).toBe('held')
    release(address)
    expect(i32[address >> 2]).toBe(0)
    expect(await acquire(address)).toBe('acquired')
    release(address)
    expect(acquireSync(address)).toBe('acquired')
    release(address)
    expect([...i32.subarray(address >> 2, (address + LOCK_BYTES) >> 2)]).toEqual([0, 0, 0, 0])
  })

  test('an unlock that is written inline, with releaseContended for the rest, serves who awaits', async () => {
    const address = allocate(LOCK_BYTES)
    expect(Atomics.compareExchange(i32, address >> 2, 0, ownThreadId())).toBe(0)
    const waiting = acquire(address)
    const me = ownThreadId()
    expect(Atomics.compareExchange(i32, address >> 2, me, 0)).not.toBe(me)
    releaseContended(address)
    expect(await waiting).toBe('acquired')
    release(address)
    expect(i32[address >> 2]).toBe(0)
  })

  test('where its thread may not block, what is held is an error that names the way out', () => {
    const lock = lockOver({ ...sharedMemory, canBlock: () => false })
    const address = allocate(LOCK_BYTES)
    expect(lock.acquireSync(address)).toBe('acquired')
    lock.release(address)
    // Held by a thread that lives, as far as this memory says.
    const held = lockOver({ ...sharedMemory, canBlock: () => false, isAlive: () => true })
    i32[address >> 2] = ownThreadId() + 1
    expect(() => held.acquireSync(address, { what: () => 'mutex "busy"' })).toThrow(CannotBlockError)
    expect(() => held.acquireSync(address, { what: () => 'mutex "busy"' })).toThrow(
      /mutex "busy", which is held by .*lock\(\)/,
    )
    i32[address >> 2] = 0
  })

  test('S17 blocking for a thread that is not blocked itself ends after 30 s, and says so', () => {
    let now = 0
    const blockedFor: number[] = []
    const memory: SyncMemory = {
      ...sharedMemory,
      spins: 0,
      isAlive: () => true,
      isParked: () => blockedFor.length < 2,
      now: () => now,
      park(_address, _expected, timeout) {
        blockedFor.push(timeout)
        now += timeout
        return 'timed-out'
      },
    }
    const address = allocate(LOCK_BYTES)
    i32[address >> 2] = ownThreadId() + 1
    expect(() => lockOver(memory).acquireSync(address, { what: () => 'mutex "busy"' })).toThrow(
      expect.objectContaining({
        name: 'TimeoutError',
        message: expect.stringMatching(/Waited 30000 ms for mutex "busy", which is held by ".*not blocked.*Infinity/),
      }),
    )
    // Once more while the holder was blocked itself: then a cycle would have been found.
    expect(blockedFor).toEqual([30_000, 30_000])
    expect(i32[address >> 2]).toBe(ownThreadId() + 1)
    i32[address >> 2] = 0
  })

  test('what a stack overflow left half-done in a queue is mended by the next one that waits', async () => {
    const address = allocate(LOCK_BYTES)
    let overflow = true
    const memory: SyncMemory = {
      ...sharedMemory,
      set(to, value) {
        if (overflow) throw new RangeError('Maximum call stack size exceeded')
        sharedMemory.set(to, value)
      },
    }
    const lock = lockOver(memory)
    expect(lock.tryAcquire(address)).toBe('acquired')
    expect(() => lock.enqueue(address, { granted() {} })).toThrow(RangeError)
    overflow = false
    const granted = new Promise<string>((resolve) => lock.enqueue(address, { granted: resolve }))
    lock.release(address)
    expect(await granted).toBe('acquired')
    lock.release(address)
    expect(i32[address >> 2]).toBe(0)
  })
})
