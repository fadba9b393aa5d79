/**
 * The requests for a lock in shared memory: of each resource (`lock-resources.ts`) one list, first those who hold it, then
 * those who wait, in their order.
 *
 *   request   +0 next   +4 previous   +8 resource   +12 thread   +16 state   +20 number   +24 node: where it waits
 *             +28 its thread's bell
 *
 *   state, [EXCLUSIVE] and   the request
 *   0                        waits
 *   GRANTED                  holds the lock
 *   GRANTED | STOLEN         was robbed: it is in no list, and its thread gives it back
 *
 * All holders are of one mode; so the first of those who hold and the first of those who wait say whether the latter is
 * admitted.
 *
 * All of it is touched inside the table's guard only (but a robbed request by its thread). `next` and the states are the
 * truth: a request is linked and unlinked by one store, and `previous`, the last and the first who waits are made anew
 * from them by `mend`.
 */
import { FIRST, FIRST_WAITING, LAST, type Resource } from './lock-resources.js'
import type { SyncMemory } from './sync-memory.js'

export const NEXT = 0
const PREVIOUS = 4
export const RESOURCE = 8
export const THREAD = 12
export const STATE = 16
export const NUMBER = 20
export const NODE = 24
export const BELL = 28
export const REQUEST_BYTES = 32

export const EXCLUSIVE = 1
export const GRANTED = 2
export const STOLEN = 4

/** The address of a request. */
export type LockRequest = number

/** The lists over a memory. `rob` tells the thread of a request that was robbed. */
export function makeRequestLists(memory: SyncMemory, rob: (request: LockRequest) => void) {
  const { get, set } = memory

  const reach = (request: LockRequest): void => memory.reach(request + REQUEST_BYTES)

  /** Whether a request of this state may hold beside those who hold, whoever waits. */
  function admits(resource: Resource, state: number): boolean {
    const first = get(resource + FIRST)
    if (first === get(resource + FIRST_WAITING)) return true
    if (state & EXCLUSIVE) return false
    reach(first)
    return (get(first + STATE) & EXCLUSIVE) === 0
  }

  /** Links a new request behind those who wait. */
  function addWaiting(resource: Resource, request: LockRequest): void {
    const last = get(resource + LAST)
    set(request + PREVIOUS, last)
    if (last !== 0) reach(last)
    set(last === 0 ? resource + FIRST : last + NEXT, request)
    set(resource + LAST, request)
    if (get(resource + FIRST_WAITING) === 0) set(resource + FIRST_WAITING, request)
  }

  /** Links a new request that holds: in front, since nobody relies on the order of those who hold. */
  function addHolder(resource: Resource, request: LockRequest): void {
    const next = get(resource + FIRST)
    set(request + NEXT, next)
    if (next !== 0) reach(next)
    set(resource + FIRST, request)
    set(next === 0 ? resource + LAST : next + PREVIOUS, request)
  }

  function remove(request: LockRequest): void {
    const resource = get(request + RESOURCE)
    const next = get(request + NEXT)
    const previous = get(request + PREVIOUS)
    if (next !== 0) reach(next)
    if (previous !== 0) reach(previous)
    set(previous === 0 ? resource + FIRST : previous + NEXT, next)
    set(next === 0 ? resource + LAST : next + PREVIOUS, previous)
    if (get(resource + FIRST_WAITING) === request) set(resource + FIRST_WAITING, next)
  }

  /** Marks the first who waits as a holder, and gives it, if it is admitted; else gives 0. */
  function grantFirst(resource: Resource): LockRequest {
    const request = get(resource + FIRST_WAITING)
    if (request === 0) return 0
    reach(request)
    const state = get(request + STATE)
    if (!admits(resource, state)) return 0
    set(resource + FIRST_WAITING, get(request + NEXT))
    set(request + STATE, state | GRANTED)
    return request
  }

  /** Takes the lock from all who hold it. */
  function robHolders(resource: Resource): void {
    const end = get(resource + FIRST_WAITING)
    for (let at = get(resource + FIRST); at !== end; at = get(at + NEXT)) {
      reach(at)
      memory.store(at + STATE, get(at + STATE) | STOLEN)
      rob(at)
    }
    set(resource + FIRST, end)
    set(end === 0 ? resource + LAST : end + PREVIOUS, 0)
  }

  /** Makes a list whole, without the dead, and without those who were robbed by a thread that died before it unlinked them. */
  function mend(resource: Resource): void {
    let last = 0
    let firstWaiting = 0
    for (let at = get(resource + FIRST); at !== 0; ) {
      reach(at)
      const next = get(at + NEXT)
      const state = get(at + STATE)
      const isDead = !memory.isAlive(get(at + THREAD))
      if (isDead || state & STOLEN) {
        if (!isDead) rob(at)
        set(last === 0 ? resource + FIRST : last + NEXT, next)
        if (isDead) memory.free(at, REQUEST_BYTES)
      } else {
        set(at + PREVIOUS, last)
        if (firstWaiting === 0 && !(state & GRANTED)) firstWaiting = at
        last = at
      }
      at = next
    }
    set(resource + LAST, last)
    set(resource + FIRST_WAITING, firstWaiting)
  }

  return { reach, admits, addWaiting, addHolder, remove, grantFirst, robHolders, mend }
}
