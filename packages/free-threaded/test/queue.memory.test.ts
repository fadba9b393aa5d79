/** What is in use of the heap is counted here: by itself, since other tests leave garbage. */
import { settleExits } from '@flatshare/core/internal'
import { collectGarbage, HeapFullError, heapStatistics, limitHeap, ref, SharedQueue } from '@flatshare/free-threaded'
import { describe, expect, test } from 'vitest'
import { startThread } from './thread.js'

const start = () => startThread('./threads/queues.js')
const long = 'x'.repeat(70_000)

/** What is in use, apart from what each thread has for its own ends: a first use makes that. */
function used() {
  using warm = new SharedQueue({ of: 'string', capacity: 1 })
  warm.putSync('')
  warm.takeSync()
  const { objects, bytesUsed } = heapStatistics()
  return { objects, bytesUsed }
}

describe('the memory of a shared queue', () => {
  test('is free again when it is gone, with all that is in it', () => {
    const before = used()
    const queue = new SharedQueue({ of: 'string', capacity: 100, name: 'words' })
    const queues = new SharedQueue({ of: ref(SharedQueue), capacity: 10 })
    for (let i = 0; i < 50; i++) queue.putSync(long)
    for (let i = 0; i < 10; i++) {
      using inner = new SharedQueue({ of: 'json', capacity: 2 })
      inner.putSync({ i })
      queues.putSync(inner)
    }
    expect(used().objects).toBe(before.objects + 12)
    expect([...queue].length).toBe(50)
    expect(queue.drain(25).length).toBe(25)
    queue[Symbol.dispose]()
    queues[Symbol.dispose]()
    expect(used()).toEqual(before)
  })

  test('that is used up is an error, and the queue is as it was', () => {
    const queue = new SharedQueue({ of: 'bytes', capacity: 100 })
    limitHeap(64 << 20)
    try {
      const fill = () => {
        for (let i = 0; i < 100; i++) queue.putSync(new Uint8Array(4 << 20).fill(i))
      }
      expect(fill).toThrow(HeapFullError)
      const { size } = queue
      expect(size).toBeGreaterThan(3)
      expect(() => new SharedQueue({ of: 'f64', capacity: 2 ** 23 })).toThrow(HeapFullError)
      for (let i = 0; i < size; i++) expect(queue.takeSync()!.every((byte) => byte === i)).toBe(true)
      queue.putSync(new Uint8Array(4 << 20))
    } finally {
      limitHeap(2 ** 31 - 1)
      queue[Symbol.dispose]()
    }
  })

  test('is free again of what waited and gave up', async () => {
    const before = used()
    const queue = new SharedQueue({ of: 'string', capacity: 1 })
    queue.putSync('a')
    expect(() => queue.putSync(long, { timeout: 1 })).toThrow(expect.objectContaining({ name: 'TimeoutError' }))
    await expect(queue.put(long, { timeout: 1 })).rejects.toThrow(expect.objectContaining({ name: 'TimeoutError' }))
    expect(queue.tryPut(long)).toBe(false)
    const late = queue.put(long)
    queue.close()
    await expect(late).rejects.toThrow('closed')
    queue[Symbol.dispose]()
    expect(used()).toEqual(before)
  })

  test('stays while a wait goes on, though the handle was given up', async () => {
    const before = used()
    const queue = new SharedQueue({ of: 'string', capacity: 1 })
    const thread = start()
    const abort = new AbortController()
    const taken = queue.take({ signal: abort.signal })
    expect(await thread.run('same', queue)).toBe(' 1 0 false')
    queue[Symbol.dispose]()
    await thread.worker.terminate()
    await settleExits()
    expect(used().objects).toBe(before.objects + 1)
    abort.abort('enough')
    await expect(taken).rejects.toBe('enough')
    expect(used()).toEqual(before)
  })

  test('is whole after threads were killed at any moment', { timeout: 60_000 }, async () => {
    const before = used()
    const queue = new SharedQueue<{ made: string; again: string }>({ of: 'json', capacity: 8 })
    const seen = new Set<string>()
    for (let round = 0; round < 4; round++) {
      const threads = [start(), start()]
      await Promise.all(threads.map((thread, i) => thread.run('churn', queue, round * 2 + i)))
      for (let i = 0; i < 100 + round * 50; i++) {
        const element = queue.tryTake() ?? (await queue.take())!
        expect(element.again).toBe(element.made)
        expect(seen.has(element.made)).toBe(false)
        seen.add(element.made)
      }
      for (const thread of threads) await thread.worker.terminate()
      await settleExits()
      for (const element of queue.drain()) expect(element.again).toBe(element.made)
      expect(queue.size).toBe(0)
    }
    for (let i = 0; i < 8; i++) expect(queue.tryPut({ made: `${i}`, again: `${i}` })).toBe(true)
    expect(queue.tryPut({ made: '', again: '' })).toBe(false)
    expect(queue.drain().length).toBe(8)
    queue[Symbol.dispose]()
    collectGarbage()
    expect(used()).toEqual(before)
  })
})
