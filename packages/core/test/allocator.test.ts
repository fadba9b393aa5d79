import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { FlatshareError, marshal } from '@flatshare/core'
import { allocate, free, i32, reach, u8 } from '@flatshare/core/internal'
import { describe, expect, it } from 'vitest'

describe('the allocator', () => {
  it('gives aligned blocks of zeros, and gives a returned block again', () => {
    const address = allocate(40)
    expect(address % 16).toBe(0)
    u8.fill(255, address, address + 40)
    free(address, 40)
    expect(allocate(40)).toBe(address)
    expect([...u8.subarray(address, address + 48)].every((byte) => byte === 0)).toBe(true)
  })

  it('grows the arena, and refuses clearly what it can never hold', () => {
    const big = allocate(3_000_000)
    expect(u8.length).toBeGreaterThanOrEqual(big + 3_000_000)
    expect(() => allocate(1 << 30)).toThrow(FlatshareError)
    expect(() => allocate(1 << 30)).toThrow(/Shared memory is full/)
    expect(allocate(16)).toBeGreaterThan(0)
  })

  it('gives no block to two threads at once', async () => {
    const cell = allocate(16)
    const workers = [1, 2, 3].map((seed) => {
      const [packet, transferList] = marshal({ cell, seed, rounds: 20_000 })
      return new Worker(new URL('./threads/allocating.js', import.meta.url), { workerData: packet, transferList })
    })
    await Promise.all(workers.map((worker) => once(worker, 'exit')))
    reach(cell + 16)
    expect([i32[cell >> 2], i32[(cell >> 2) + 1]]).toEqual([3, 0])
  })
})
