/** Where the page, which may not block, and a worker, which does, meet: all primitives. */
import { type CannotBlockError, DeadlockError } from '@flatshare/core'
import { Barrier, Condition, Latch, locks, Mutex, Once, RwLock, Semaphore, Signal } from '@flatshare/sync'

export function newMeeting() {
  return {
    mutex: new Mutex({ name: 'ledger' }),
    condition: new Condition(),
    rwlock: new RwLock(),
    semaphore: new Semaphore(2),
    signal: new Signal(),
    barrier: new Barrier(2),
    latch: new Latch(1),
    once: new Once<string>(),
    cells: new Int32Array(new SharedArrayBuffer(8)),
  }
}

export type Meeting = ReturnType<typeof newMeeting>

export async function meetFromPage(meeting: Meeting): Promise<string> {
  const { mutex, condition, rwlock, semaphore, signal, barrier, latch, cells } = meeting
  const permits = await semaphore.acquire(1)
  await signal.wait()
  {
    using guard = await mutex.lock()
    cells[0] = 1
    condition.notify()
    await condition.wait(guard, () => cells[0] === 2)
  }
  permits.release()
  await barrier.wait()
  using _read = await rwlock.read()
  await latch.wait()
  return await locks.request('ledger', { mode: 'shared' }, () => `the page has seen ${cells[1]}`)
}

/** What blocking says where it isn't allowed, and the lock is another thread's. */
export function refusal(mutex: Mutex): string {
  try {
    mutex.lockSync().release()
    return 'locked'
  } catch (error) {
    if (error instanceof DeadlockError) throw error
    return (error as CannotBlockError).name
  }
}
