/**
 * Making a map's value once, however many calls of all threads ask for it.
 *
 * Each key has a lock of its own while somebody asks: a named lock of `@flatshare/sync`, which is gone with the last who
 * wants it, is granted in order, and is given up with its thread. Who has it looks whether the value is there by
 * now, and if not runs its own factory. Nobody holds the map meanwhile.
 */
import { DeadlockError } from '@flatshare/core'
import {
  abortReason,
  currentFrame,
  holdsOnPath,
  ownThreadId,
  runInFrame,
  threadName,
  trackAcrossAwait,
} from '@flatshare/core/internal'
import { locks } from '@flatshare/sync'
import { makeAccess } from '../access.js'
import { runInsideSync } from '../async-hold.js'
import { addressOf } from '../handle.js'
import { shapeOf } from '../shape.js'

/** What is used of a map, by whoever is inside of its lock. */
interface MapLike<K, V, Out> extends Object {
  has(key: K): boolean
  get(key: K): Out | undefined
  getOrInsert(key: K, value: V): Out
}

/** What stands in the frames of the factories of this thread that run, by the name of their lock. */
const running = new Map<string, object>()

/** See `SharedMap.getOrInsertAsync`. */
export async function computeOnce<K, V, Out>(
  map: MapLike<K, V, Out>,
  address: number,
  key: K,
  factory: (key: K) => V | PromiseLike<V>,
  { signal }: { signal?: AbortSignal },
): Promise<Out> {
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new TypeError('The signal of SharedMap.getOrInsertAsync is an AbortSignal.')
  }
  if (signal?.aborted) throw abortReason(signal)
  const access = makeAccess('SharedMap.getOrInsertAsync', shapeOf(map)!.groups.get('')!)
  const inside = <R>(fn: () => R): Promise<R> => runInsideSync(map, address, access, fn)
  const look = () => inside(() => (map.has(key) ? { value: map.get(key) as Out } : undefined))
  const found = await look()
  if (found) return found.value
  const lock = lockOf(address, key)
  // Before the first await of a factory, whether it has one or not can't be known.
  trackAcrossAwait()
  const own = running.get(lock)
  if (own && holdsOnPath(own)) throw ownFactory(key)
  const parent = currentFrame()
  return locks.request(lock, signal ? { signal } : {}, async () => {
    const meanwhile = await look()
    if (meanwhile) return meanwhile.value
    const marker = {}
    running.set(lock, marker)
    try {
      const value = await runInFrame({ parent, holds: marker }, () => factory(key))
      return await inside(() => map.getOrInsert(key, value))
    } finally {
      running.delete(lock)
    }
  }) as Promise<Out>
}

function lockOf(address: number, key: unknown): string {
  const named = typeof key === 'object' && key !== null ? addressOf(key) : key === 0 ? 0 : key
  return `SharedMap ${address} ${typeof key} ${String(named)}`
}

function ownFactory(key: unknown): DeadlockError {
  const thread = `"${threadName(ownThreadId())}"`
  const what = `the value of ${typeof key === 'object' ? 'a key' : `the key ${String(key)}`}`
  return new DeadlockError(
    `A factory of SharedMap.getOrInsertAsync asks for ${what}, which it is to make itself: that would never end.`,
    { cycle: [`${thread} waits for ${what}, made by ${thread}`] },
  )
}
