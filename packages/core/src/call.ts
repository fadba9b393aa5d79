/**
 * Who called, and what the running code holds.
 *
 * A chain of *frames*, innermost first, is carried by the flow of control: by a variable during
 * synchronous code, and across `await` by the runtime's async context where it has one, from a thread's
 * first served call on (it makes every `await` dearer, so code without threads doesn't pay for it).
 *
 * A frame says one of two things: "this is a served call", with its caller and its path, or "this code
 * holds that object's lock". A call carries its whole path, the ids of all calls that led to it: it
 * re-enters an object only if that is serving a call on this path. With the root's id alone two siblings
 * of one `Promise.all` would both enter.
 */
import { asyncContext } from '#platform'
import { keepMarked } from './kept-shapes.js'
import { Header, i32, THREAD_SLOTS } from './memory.js'
import { ownThreadId, SlotWord, slotOf, type ThreadId } from './threads.js'

/** Names one call in the process. */
export type CallId = number

/** A call from another thread, as the code that serves it sees it. */
export interface Call {
  /** The thread that called. */
  readonly caller: ThreadId
  /** The calls that led here, the first one first, this one last: its causality. */
  readonly path: readonly CallId[]
  /**
   * Fires when the caller gives the call up: by its own signal, by its deadline, or by the end of its thread.
   *
   * `aborted` and `throwIfAborted()` look into shared memory, so a busy loop that asks them sees it at once, where
   * no event could arrive. The event follows when the thread is back in its event loop. `reason` is the caller's
   * own; where it is asked for before that has arrived, an `AbortError` or `TimeoutError`, and it stays that.
   */
  readonly signal: AbortSignal
  /** When the caller gives up, in milliseconds as `Date.now()` counts; calls made from inside inherit it. */
  readonly deadline: number | undefined
}

/** A link of the chain that describes the running code. */
export interface Frame {
  readonly parent: Frame | undefined
  readonly call?: Call
  /** What a lock's holder is known by. */
  readonly holds?: unknown
}

let current: Frame | undefined
let tracking: ReturnType<typeof asyncContext<Frame>>
let asked = false
/** Whether any code of this thread ever ran in a frame. */
let framed = false

/** From now on frames follow `await` on this thread; false where the runtime can't. */
export function trackAcrossAwait(): boolean {
  if (!asked) {
    asked = true
    tracking = asyncContext<Frame>()
    keepMarked()
  }
  return tracking !== undefined
}

/** The innermost frame of the running code. */
export function currentFrame(): Frame | undefined {
  return tracking?.get() ?? current
}

/** Runs `fn` inside a frame. Without tracking, the frame ends at the first `await`. */
export function runInFrame<R>(frame: Frame, fn: () => R): R {
  framed = true
  const outer = current
  current = frame
  try {
    return tracking ? tracking.run(frame, fn) : fn()
  } finally {
    current = outer
  }
}

/** Runs a call's code, which begins here: whatever else follows the running code across `await` ends. */
export function runCall<C extends Call, R>(call: C, fn: (call: C) => R): R {
  const frame: Frame = { parent: undefined, call }
  framed = true
  const outer = current
  current = frame
  try {
    return tracking ? tracking.runApart(frame, fn, call) : fn(call)
  } finally {
    current = outer
  }
}

/** Ids that a thread takes at a time. */
const ID_BLOCK = 0x4000
let nextSerial = 0
let endOfSerials = 0
let slotNumber = 0

/**
 * A new id, never given to another call of any thread, however long one stays unanswered: a serial number, of which
 * threads take blocks from a shared counter, and in the low bits the caller's slot of the thread table.
 */
export function newCallId(): CallId {
  if (nextSerial === endOfSerials) {
    slotNumber = ownThreadId() & (THREAD_SLOTS - 1)
    nextSerial = (Atomics.add(i32, Header.callIds >> 2, 1) >>> 0) * ID_BLOCK
    endOfSerials = nextSerial + ID_BLOCK
  }
  return nextSerial++ * THREAD_SLOTS + slotNumber
}

/**
 * An id beyond the engine's small integers, as those of all calls are after some millions: an object made with it has the
 * shape that those of all calls have from the first one on.
 */
export const LARGE_ID: CallId = 2 ** 40

/** As `newCallId`, for a call that came from elsewhere: as one of the thread that has that id here. */
export function aliasOf(thread: ThreadId): CallId {
  const id = newCallId()
  return id - slotNumber + (thread & (THREAD_SLOTS - 1))
}

/** The serial number in an id: those of one thread's calls mostly follow one another. */
export function serialOf(id: CallId): number {
  return Math.floor(id / THREAD_SLOTS)
}

/** The thread that made a call, while it lives. */
export function makerOf(id: CallId): ThreadId {
  return Atomics.load(i32, slotOf(id % THREAD_SLOTS) + SlotWord.id)
}

/** The path of the running code: the calls, on whatever threads, that led to it. */
export function causality(): readonly CallId[] {
  return currentCall()?.path ?? []
}

/** Whether the running code, on this thread, holds what is known as `holder`. */
export function holdsInFrame(holder: unknown): boolean {
  return holdsIn(currentFrame(), holder)
}

function holdsIn(innermost: Frame | undefined, holder: unknown): boolean {
  for (let frame = innermost; frame; frame = frame.parent) if (frame.holds === holder) return true
  return false
}

/** By the ids of this thread's calls that aren't settled: the code that made them, where it holds something. */
const holdingCalls = new Map<CallId, Frame>()

/** The code of that frame, which holds something, makes a call, and waits for it until `forgetHolding`. */
export function noteHolding(id: CallId, frame: Frame): void {
  holdingCalls.set(id, frame)
}

export function forgetHolding(id: CallId): void {
  holdingCalls.delete(id)
}

/** As `holdsInFrame`, and whether code of this thread holds it that has led to the running code by calls of other threads. */
export function holdsOnPath(holder: unknown): boolean {
  if (holdsInFrame(holder)) return true
  if (holdingCalls.size === 0) return false
  for (const id of causality()) if (holdsIn(holdingCalls.get(id), holder)) return true
  return false
}

/**
 * The call from another thread that the running code serves: who made it, by which path of calls, until when
 * they wait, and a signal that says when they wait no more. Undefined outside of one.
 *
 * It holds across `await` where the runtime has an async context (Node, Deno, Bun); in browsers it ends
 * at the first `await`, so read it before.
 *
 * @example
 * indexAll() {
 *   const { signal } = currentCall()!
 *   for (const file of this.files) {
 *     signal.throwIfAborted() // true at once, also in a loop that never awaits
 *     this.index(file)
 *   }
 * }
 */
export function currentCall(): Call | undefined {
  return callOf(currentFrame())
}

/** The call that the code of a frame serves. */
export function callOf(innermost: Frame | undefined): Call | undefined {
  for (let frame = innermost; frame; frame = frame.parent) if (frame.call) return frame.call
  return undefined
}

/** The thread on whose behalf the running code runs: the caller's inside a call, else this one. */
export function callingThread(): ThreadId {
  return currentCall()?.caller ?? ownThreadId()
}

/** Whether the running code runs on behalf of this thread itself: next to nothing where it never did anything else. */
export function runsForItself(): boolean {
  return !framed || callingThread() === ownThreadId()
}
