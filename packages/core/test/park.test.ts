import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { marshal } from '@flatshare/core'
import { allocate, i32, park, parkedAt, parkedOnNode, timesParked, waitNote } from '@flatshare/core/internal'
import { describe, expect, it } from 'vitest'

describe('park', () => {
  it('lets other threads see on what a thread is parked, since when, and for what', async () => {
    const word = allocate(16)
    i32[word >> 2] = 1
    const [packet, transferList] = marshal({ word })
    const worker = new Worker(new URL('./threads/parking.js', import.meta.url), { workerData: packet, transferList })
    const [id] = (await once(worker, 'message')) as [number]
    const ended = once(worker, 'message')
    const seen: Array<[number, string]> = []
    for (const next of [2, 3]) {
      while (parkedAt(id) === 0 || waitNote(id) !== `mutex "${next - 1}"`) await new Promise(setImmediate)
      expect(parkedAt(id)).toBe(word)
      expect(parkedOnNode(id)).toBe(word)
      seen.push([timesParked(id), waitNote(id)])
      Atomics.store(i32, word >> 2, next)
      Atomics.notify(i32, word >> 2)
    }
    await ended
    expect(parkedAt(id)).toBe(0)
    expect(seen.map(([, note]) => note)).toEqual(['mutex "1"', 'mutex "2"'])
    expect(seen[1]![0]).toBeGreaterThan(seen[0]![0])
  })

  it('does not sleep where that is not worthwhile, and passes on what the look at it throws', () => {
    const word = allocate(16)
    expect(park(word, 0, Infinity, { worthwhile: () => false })).toBe('woken')
    expect(() =>
      park(word, 0, Infinity, {
        worthwhile() {
          throw new Error('a cycle')
        },
      }),
    ).toThrow('a cycle')
  })
})
