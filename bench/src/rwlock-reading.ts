/** What the two threads of `rwlock.bench.ts` share. */
import type { Mutex, RwLock } from '@flatshare/sync'

/** By what the other thread is to read, and how often it has. Each in a cache line of its own. */
export const Cell = { by: 0, rounds: 32 } as const

/** What is measured. */
export enum Lock {
  none = 0,
  runReading = 1,
  guard = 2,
  byHand = 3,
  mutex = 4,
}

export interface Locks {
  readonly lock: RwLock
  readonly mutex: Mutex
  readonly word: Int32Array
}

/** For each lock, how to read by it so many times. */
export function readTimes({ lock, mutex, word }: Locks): Record<Lock, (times: number) => void> {
  let read = 0
  const body = () => read++
  const byHand = handWritten(word)
  return {
    [Lock.none]: () => {},
    [Lock.runReading](times) {
      for (let i = 0; i < times; i++) lock.runReadingSync(body)
    },
    [Lock.guard](times) {
      for (let i = 0; i < times; i++) {
        const guard = lock.readSync()
        body()
        guard.release()
      }
    },
    [Lock.byHand](times) {
      for (let i = 0; i < times; i++) byHand.read(body)
    },
    [Lock.mutex](times) {
      for (let i = 0; i < times; i++) mutex.runExclusiveSync(body)
    },
  }
}

/** A readers-writer lock as one writes it by hand: how many read, or −1. Writers may starve, and nobody may die. */
export function handWritten(word: Int32Array): Record<'read' | 'write', (body: () => unknown) => void> {
  return {
    read(body) {
      for (;;) {
        const readers = Atomics.load(word, 0)
        if (readers < 0) Atomics.wait(word, 0, readers)
        else if (Atomics.compareExchange(word, 0, readers, readers + 1) === readers) break
      }
      body()
      if (Atomics.sub(word, 0, 1) === 1 && Atomics.load(word, 1) > 0) Atomics.notify(word, 0)
    },
    write(body) {
      while (Atomics.compareExchange(word, 0, 0, -1) !== 0) {
        Atomics.add(word, 1, 1)
        const now = Atomics.load(word, 0)
        if (now !== 0) Atomics.wait(word, 0, now)
        Atomics.sub(word, 1, 1)
      }
      body()
      Atomics.store(word, 0, 0)
      Atomics.notify(word, 0)
    },
  }
}
