/** What the tables of `SharedMap` have in common: how many entries there are, and the peer. */
import type { Row } from './benchmark.js'
import { timed } from './timed.js'

export const TIMES = 100_000
/** What takes microseconds is not asked as often. */
const TIMES_OF_PEER = 5_000
export const ENTRIES = 128

export const names = Array.from({ length: ENTRIES }, (_, i) => `user ${i}`)

export interface Page {
  readonly id: number
  readonly title: string
  readonly tags: readonly string[]
}

export const page = (id: number): Page => ({ id, title: `Page ${id}`, tags: ['news', 'today'] })

/** It needs a newer Node than the oldest that Flatshare runs on. */
const multithreading = await import('multithreading').catch(() => undefined)

/** A row for `use` of a SharedJsonBuffer, which begins with `entries`, under its mutex; none where it doesn't run. */
export function jsonBufferRow<V>(
  name: string,
  entries: Iterable<readonly [string, V]>,
  use: (buffer: Record<string, V>, i: number) => void,
): Row[] {
  if (!multithreading) return []
  const { Mutex, SharedJsonBuffer } = multithreading
  const mutex = new Mutex(new SharedJsonBuffer<Record<string, V>>(Object.fromEntries(entries), { size: 1 << 22 }))
  const run = () =>
    timed(TIMES_OF_PEER, (times) => {
      for (let i = 0; i < times; i++) {
        const guard = mutex.blockingLock()
        use(guard.value as unknown as Record<string, V>, i)
        guard.dispose()
      }
    })
  return [{ name: `multithreading: Mutex, SharedJsonBuffer, ${name}`, run }]
}
