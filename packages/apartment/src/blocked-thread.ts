/**
 * Calls that come to this thread while it blocks for the answer to a call of its own.
 *
 *   the innermost blocked call is on its path   it is served at once: that answer may wait for it
 *   its stub is immediate                       it is served at once: no user's code runs
 *   it is one that this thread dispatches       it is served at once: `dispatchArrived`
 *   any other                                   it waits until the code that blocks has gone on and come to its end
 *
 * "On its path" goes by the innermost call, as it is the only one that can end next. What waited for a nested one
 * is looked at again when that has ended.
 *
 * Invariants: calls that wait start in the order in which they came, from a microtask, and before any call that comes
 * after them; so each caller's calls of one object keep their order. What a call carries is unpacked when it
 * comes, not when it starts.
 */
import type { CallId } from '@flatshare/core/internal'

/** A call of this thread that it blocks on. */
interface BlockedCall {
  readonly id: CallId
  readonly label: string
}

/** A call that has come. */
interface ArrivedCall {
  readonly path: readonly CallId[]
  /** Undefined once it has begun. */
  readonly args: unknown[] | undefined
  /** Takes its turn. */
  enter(): void
}

/** The innermost one last. */
const blocked: BlockedCall[] = []
const postponed: ArrivedCall[] = []
/** What this thread dispatches, from inside of its running code; undefined where it doesn't. */
let dispatched: ((call: ArrivedCall) => boolean) | undefined

/** The call whose answer this thread blocks for, undefined where it doesn't block. */
export function blockedCall(): BlockedCall | undefined {
  return blocked[blocked.length - 1]
}

function isServedNow(arrived: ArrivedCall): boolean {
  const call = blockedCall()
  return (call !== undefined && arrived.path.includes(call.id)) || dispatched?.(arrived) === true
}

/** Lets a call in that has come, now or when this thread can serve it. */
export function admit(call: ArrivedCall, immediate: boolean): void {
  const isFree = blocked.length === 0 && postponed.length === 0 && dispatched === undefined
  if (isFree || immediate || isServedNow(call)) call.enter()
  else postponed.push(call)
}

/** Lets those in of the calls that wait on which the blocked call depends; to be called before the thread sleeps. */
export function startNested(): void {
  for (let i = 0; i < postponed.length; i++) {
    const call = postponed[i]!
    if (!isServedNow(call)) continue
    postponed.splice(i, 1)
    call.enter()
    // It may have blocked itself, and changed the list.
    i = -1
  }
}

/** From now on this thread counts as blocked on that call, until `endBlocking`. */
export function beginBlocking(call: BlockedCall): void {
  blocked.push(call)
}

export function endBlocking(): void {
  blocked.pop()
  startOthersSoon()
}

function startOthersSoon(): void {
  if (blocked.length === 0 && postponed.length > 0) queueMicrotask(startPostponed)
}

function startPostponed(): void {
  // One of them may block again, and calls may come meanwhile.
  while (blocked.length === 0 && postponed.length > 0) postponed.shift()!.enter()
}

/**
 * Serves now, from inside of the running code, those calls that `receive` receives, or that wait, for which `chosen` says
 * so; it is asked once, just before.
 */
export function dispatchArrived(chosen: (call: ArrivedCall) => boolean, receive: () => void): void {
  const outer = dispatched
  dispatched = chosen
  try {
    startNested()
    receive()
  } finally {
    dispatched = outer
    startOthersSoon()
  }
}
