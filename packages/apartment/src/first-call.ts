/**
 * The first call after a pause, whose answer is waited for in place.
 *
 * Systems like to put who is woken on the core of who woke it, where it comes up when that one sleeps, or half-way through
 * the waking. What lies before that sleep, the stack of the call, the turn's microtasks, the event loop's round and the
 * arming of the doorbell, is code that no cache holds after a pause, and takes longer than the call itself. So the thread
 * blocks at once, for an instant, and most often finds the answer when it goes on: then no stack is needed, and nobody has
 * had to ring for it.
 *
 *   caller  at rest ─ awake, unless the callee takes its time (`pace`), or is awake, or it was in vain lately
 *           ─ call sent, callee rung ─ parked, unless the answer is there ─ the answer is next
 *                                                                         └ anything else, or too late: as with every call
 *   callee  rung ─ call served, answered ─ a nap, for the caller to go on ─ looks ─ nothing: one more nap, and asleep
 *
 * The nap (`spinning.ts`) gives the core away; who naps counts as awake, so a second call need not ring.
 *
 * Invariant: nothing is received in place. Whatever comes waits for the end of the turn, and goes on behind its microtasks.
 */
import {
  type CallId,
  isAwake,
  noteCall,
  ownThreadId,
  park,
  postsNow,
  postsOf,
  type ThreadId,
} from '@flatshare/core/internal'
import { Patience } from './patience.js'
import { schedulePump } from './pump.js'
import { mayNap, NEAR } from './spinning.js'

/** Milliseconds. It takes some 200 µs to wake a thread and to be answered, all from memory that is cold. */
const LONGEST = 0.5

const patience = new Patience()

/** The way by which the answer comes. */
export interface AnswerPath {
  readonly from: ThreadId
  readonly pace: number
  /** Whether the next message is there, and is the answer to that call. */
  hasAnswer(id: CallId): boolean
}

/** This thread is at rest, and about to call: says whether to wait for the answer in place, if that one is at rest, too. */
export function beginsInPlace({ from, pace }: AnswerPath): boolean {
  if (!mayNap || pace >= NEAR || isAwake(from) || !patience.tries()) return false
  // Who answers need not ring.
  schedulePump()
  return true
}

/** Blocks until something comes, for an instant at most; says whether it is the answer to that call. */
export function answeredInPlace(path: AnswerPath, id: CallId): boolean {
  const seen = postsNow()
  if (!path.hasAnswer(id)) {
    // It is in no cycle of threads that block: it goes on by itself.
    noteCall(0, seen)
    park(postsOf(ownThreadId()), seen, LONGEST)
  }
  const answered = path.hasAnswer(id)
  patience.note(answered)
  return answered
}
