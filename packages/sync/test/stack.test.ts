import { Mutex, Semaphore, Signal } from '@flatshare/sync'
import { describe, expect, test } from 'vitest'
import { Locker, newCells } from './threads/start.js'

/** Runs `fn` at each of the last depths that the stack allows, once each. */
function atTheEndOfTheStack(fn: () => void): number {
  let overflows = 0
  let left = 2000
  const dive = (): void => {
    try {
      dive()
    } catch (error) {
      if (left-- > 0) {
        try {
          fn()
        } catch (error) {
          if (error instanceof RangeError) overflows++
        }
      }
      throw error
    }
  }
  expect(dive).toThrow(RangeError)
  return overflows
}

describe('where the stack is used up', () => {
  test('waiting in vain leaves nothing behind that others trip over', () => {
    const signal = new Signal()
    const semaphore = new Semaphore(0)
    for (let round = 0; round < 5; round++) {
      expect(atTheEndOfTheStack(() => signal.waitSync({ timeout: 0 }))).toBeGreaterThan(0)
      expect(atTheEndOfTheStack(() => void semaphore.acquireSync({ timeout: 0 }))).toBeGreaterThan(0)
    }
    semaphore.release()
    semaphore.acquireSync({ timeout: 1000 }).release()
    signal.set()
    signal.waitSync({ timeout: 1000 })
  })

  test('awaiting in vain does not either', async () => {
    const mutex = new Mutex()
    const guard = mutex.lockSync()
    const waiters: Array<Promise<unknown>> = []
    for (let round = 0; round < 5; round++) {
      atTheEndOfTheStack(() => void waiters.push(mutex.lock({ timeout: 0 }).catch(() => {})))
    }
    const cells = newCells()
    const other = new Locker({ task: 'wait', mutex, cells })
    await other.waiting
    guard.release()
    expect(await other.done).toMatchObject({ abandoned: false })
    await Promise.all(waiters)
    mutex.lockSync({ timeout: 1000 }).release()
    await other.ended
  })
})
