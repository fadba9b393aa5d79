import { Condition, Mutex } from '@flatshare/sync'
import { describe, expect, test } from 'vitest'
import { Cell, newCells, openGate, RING } from './threads/sharer-cells.js'
import { Sharer, until } from './threads/start-sharer.js'

function newQueue() {
  return {
    mutex: new Mutex({ name: 'queue' }),
    condition: new Condition({ name: 'not empty' }),
    notFull: new Condition({ name: 'not full' }),
    cells: newCells(),
  }
}

describe('Condition between threads', () => {
  test('four threads, blocking and awaiting, pass 100,000 items through a queue, and lose none', async () => {
    const queue = newQueue()
    const rounds = 50_000
    const sharers = (['produce', 'consume', 'produceAwaiting', 'consumeAwaiting'] as const).map(
      (task) => new Sharer({ task, rounds, ...queue }),
    )
    await Promise.all(sharers.map((sharer) => sharer.id))
    openGate(queue.cells)
    const [, one, , other] = sharers
    const sums = [(await one!.done).sum!, (await other!.done).sum!]
    expect(sums[0]! + sums[1]!).toBe(2 * ((rounds * (rounds + 1)) / 2))
    await Promise.all(sharers.map((sharer) => sharer.ended))
    expect(queue.cells[Cell.count]).toBe(0)
    expect(queue.condition.waiters + queue.notFull.waiters).toBe(0)
    expect(queue.mutex.isLocked()).toBe(false)
  })

  test('notifyAll lets all go on, blocked or not, one at a time inside the mutex', async () => {
    const queue = newQueue()
    const sharers = (['waitOnce', 'waitOnceAwaiting', 'waitOnce', 'waitOnceAwaiting'] as const).map(
      (task) => new Sharer({ task, ...queue }),
    )
    await until(() => queue.condition.waiters === 4)
    using guard = queue.mutex.lockSync()
    expect(queue.condition.notifyAll()).toBe(4)
    expect(queue.condition.waiters).toBe(0)
    guard.release()
    await Promise.all(sharers.map((sharer) => sharer.ended))
    expect(queue.cells[Cell.wrong]).toBe(0)
    expect(queue.mutex.isLocked()).toBe(false)
  })

  test('a notification of a thread that is terminated before it has the mutex goes to another', async () => {
    const queue = newQueue()
    for (const tasks of [['waitOnce', 'waitOnce'] as const, ['waitOnceAwaiting', 'waitOnce'] as const]) {
      queue.cells.fill(0)
      const first = new Sharer({ task: tasks[0], ...queue })
      await until(() => queue.condition.waiters === 1)
      const second = new Sharer({ task: tasks[1], ...queue })
      await until(() => queue.condition.waiters === 2)
      const guard = queue.mutex.lockSync()
      expect(queue.condition.notify()).toBe(1)
      await first.kill()
      guard.release()
      await second.done
      await second.ended
      expect(queue.condition.waiters).toBe(0)
    }
  })

  test('threads that are terminated at any moment take no item and no notification with them', async () => {
    const queue = newQueue()
    const { mutex, condition, cells } = queue
    const kinds = ['consumeForEver', 'consumeForEverAwaiting', 'consumeImpatiently', 'consumeForEver'] as const
    const start = (i: number) => new Sharer({ task: kinds[i % 4]!, ...queue })
    const sharers = [0, 1, 2, 3].map(start)
    const put = async (items: number) => {
      for (let i = 0; i < items; i++) {
        await until(() => Atomics.load(cells, Cell.count) < RING)
        using guard = await mutex.lock()
        cells[Cell.ring + ((cells[Cell.first]! + cells[Cell.count]!) % RING)] = 1
        cells[Cell.count]!++
        // Who died inside may have had a notification, and not have taken the item.
        if (guard.abandoned) condition.notifyAll()
        else condition.notify()
      }
    }
    const mend = async () => {
      using guard = await mutex.lock()
      if (guard.abandoned) condition.notifyAll()
    }
    for (let i = 0; i < 12; i++) {
      await put(50 + ((i * 37) % 20))
      const killed = sharers[i % 4]!.kill()
      await put(20)
      await killed
      await mend()
      sharers[i % 4] = start(i)
    }
    await until(() => Atomics.load(cells, Cell.count) === 0)
    await Promise.all(sharers.map((sharer) => sharer.kill()))
    expect(condition.waiters).toBe(0)
  })

  test('the guard says when a thread died with the mutex meanwhile', async () => {
    const queue = newQueue()
    const guard = await queue.mutex.lock()
    expect(guard.abandoned).toBe(false)
    const waiting = queue.condition.wait(guard)
    const holder = new Sharer({ task: 'holdMutex', ...queue })
    await until(() => Atomics.load(queue.cells, Cell.arrived) === 1)
    queue.condition.notify()
    await holder.kill()
    await waiting
    expect(guard.abandoned).toBe(true)
    guard.release()
    expect(queue.mutex.lockSync().abandoned).toBe(false)
  })

  test('a thread that blocks gives up by timeout with the mutex held, and another one is notified', async () => {
    const queue = newQueue()
    const sharer = new Sharer({ task: 'waitOnce', ...queue })
    await until(() => queue.condition.waiters === 1)
    using guard = queue.mutex.lockSync()
    expect(() => queue.condition.waitSync(guard, { timeout: 1 })).toThrow(
      expect.objectContaining({ name: 'TimeoutError' }),
    )
    expect(queue.mutex.isLocked()).toBe(true)
    expect(queue.condition.notify(2)).toBe(1)
    guard.release()
    await sharer.ended
  })
})
