/**
 * What waits for the end of the turn before it is sent: until the running code has returned, in a microtask; or until this
 * thread has received what it is receiving, and served it (`sendingAfter`), whatever comes first.
 *
 * There is one microtask for all, and none more while that is on its way: code that blocks for one call after another,
 * and sends each at once, never comes to run it.
 */
import { beforePark, onOwnExit, sayLastWords } from '@flatshare/core/internal'

/** A way on which something waits. */
export interface Unsent {
  flush(): void
  /** As `flush`, for the last time: this thread ends. */
  flushForEver?(): void
}

const unsent = new Set<Unsent>()
/** A microtask is on its way. */
let due = false
/** Code runs after which all is sent. */
let inside = false
/** Its `then` takes half the time of `queueMicrotask`. */
const settled = Promise.resolve()

/** Something waits there: it is flushed at the end of the turn. */
export function noteUnsent(link: Unsent): void {
  unsent.add(link)
  if (due || inside) return
  due = true
  void settled.then(flushDue)
}

function flushDue(): void {
  due = false
  flushLinks()
}

export function forgetUnsent(link: Unsent): void {
  unsent.delete(link)
}

/** Sends now what waits for the end of the turn. */
export function flushLinks(): void {
  for (const link of unsent) link.flush()
}

/** Sends what `receive` has sent when it has returned. */
export function sendingAfter<A, R>(receive: (argument: A) => R, argument: A): R {
  inside = true
  try {
    return receive(argument)
  } finally {
    inside = false
    flushLinks()
  }
}

onOwnExit(() => {
  sayLastWords()
  for (const link of unsent) (link.flushForEver ?? link.flush).call(link)
})
// Who waits for it would wait for what this thread blocks on, too.
beforePark(flushLinks)
