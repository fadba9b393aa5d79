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
})
