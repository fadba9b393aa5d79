/** A program that leaves waiters behind for which nobody can ever release. */
import { Mutex, Semaphore, tryAcquire } from '@flatshare/sync/async-mutex'

const mutex = new Mutex()
await mutex.acquire()
void mutex.acquire()
void mutex.waitForUnlock()
await tryAcquire(new Semaphore(0))
  .acquire()
  .catch(() => {})
console.log('ends')
