/**
 * Calls to another thread, each from its making to its end.
 *
 *   awaited  → settled    by its answer, or by the end of the other thread
 *   awaited  → given up   by its signal or deadline: the cell in shared memory says so at once, and CANCEL gives the reason
 *   given up → lingering  where the thread shall end if the call doesn't: until its answer, or the end of its grace time
 *
 * Invariants: an awaited call leaves the table exactly once. A call without an answer is never in it. While one is in
 * it, this thread's event loop is held open; not for a pool's question of when a thread is idle, which nobody awaits.
 */
import { FlatshareError } from '@flatshare/core'
import {
  abortReason,
  type CallId,
  causality,
  currentCall,
  newCallId,
  type PackedReference,
  startTimer,
  type ThreadId,
  timeoutError,
} from '@flatshare/core/internal'
import { CallCell } from './call-cells.js'
import { type CallSettings, GRACE_TIME } from './call-settings.js'
import { atCall, atCaller, type CallTrace } from './call-trace.js'
import { cannotCross } from './crossing.js'
import { type IterationLimit, unpackWithin } from './iteration-limit.js'
import type { Link } from './link.js'
import { CALL, CANCEL, type CallMessage, type CarryingMessage, type How, labelOf } from './messages.js'
import { endOwnThread } from './own-threads.js'
import { watchSignal } from './signal-watch.js'

/** How long this thread blocks for one that neither computes nor blocks. */
export const AWAITING_CALLEE_MS = 30_000

/** What is called. */
export interface CallTarget {
  readonly id: number
  readonly name: string
  /** The proxy, so that it isn't collected meanwhile. */
  readonly keep?: unknown
}

/** The thread that is called, as far as calling it goes. */
export interface CalledPeer {
  readonly threadId: ThreadId
  readonly name: string
  readonly link: Link
  /** Why no call can be made, or what becomes of one that was; undefined while calls can be made. */
  refusal(label: string): Error | undefined
  disconnected(label: string, mayHaveRun: boolean): Error
  carry(message: CarryingMessage, value: unknown): void
  unpack(value: unknown, refs: PackedReference[] | undefined): unknown
  /** No call is awaited any more. */
  idle(): void
}

/** Who waits for a call's end; it hears of one of the two, once. */
export interface Outcome {
  resolve(value: unknown): void
  reject(error: unknown): void
}

/** A call that was made and that somebody waits for. */
export interface MadeCall {
  readonly id: CallId
  readonly label: string
  readonly deadline: number | undefined
}

/** A call that was made and isn't answered. */
interface Awaited {
  readonly outcome: Outcome
  readonly label: string
  readonly trace: CallTrace
  readonly keep: unknown
  /** Of a call that may be given up before any deadline. */
  readonly cell: CallCell | undefined
  /** Whether this thread goes on for it. */
  readonly holds: boolean
  /** Milliseconds after which its thread shall end, where that was asked for. */
  readonly grace: number | undefined
  /** Until when what it gives may be iterated. */
  readonly limit: IterationLimit | undefined
  /** Lets go of timer and signal. */
  settle?: () => void
}

/** The calls that await the answer of one peer. */
export class AwaitedCalls {
  readonly #awaited = new Map<CallId, Awaited>()
  /** Calls that were given up and whose thread shall end if they don't: how to let go of each. */
  readonly #lingering = new Map<CallId, () => void>()
  #holding = 0

  constructor(readonly peer: CalledPeer) {}

  get size(): number {
    return this.#awaited.size
  }

  /** Whether the link is still needed for any of them. */
  get busy(): boolean {
    return this.#awaited.size + this.#lingering.size > 0
  }

  ids(): CallId[] {
    return [...this.#awaited.keys()]
  }

  /** Makes a call. Each failure goes to the outcome; nothing is thrown. Gives what is to be waited for, if anything. */
  call(
    target: CallTarget,
    how: How,
    member: string,
    args: unknown[],
    trace: CallTrace,
    settings: CallSettings | undefined,
    outcome: Outcome,
  ): MadeCall | undefined {
    const { peer } = this
    const label = labelOf(target.name, how, member)
    const refusal = peer.refusal(label)
    if (refusal) {
      outcome.reject(atCall(refusal, trace))
      return undefined
    }
    const { signal, timeout, onAbort, graceTime = GRACE_TIME, reply = true } = settings ?? {}
    if (signal?.aborted) {
      outcome.reject(abortReason(signal))
      return undefined
    }
    const inherited = currentCall()?.deadline
    const own = timeout === undefined ? undefined : Date.now() + timeout
    const deadline = inherited === undefined ? own : Math.min(inherited, own ?? inherited)
    if (deadline !== undefined && deadline <= Date.now()) {
      outcome.reject(atCall(timeoutError(`${label}: no time is left; the call was not made.`), trace))
      return undefined
    }
    if (!reply && how === 'get') {
      const message = `${label}: the value of a property is an answer, and these calls have none (reply: false).`
      outcome.reject(atCall(new TypeError(message), trace))
      return undefined
    }
    const id = newCallId()
    const path = [...causality(), id]
    const cell = reply && (signal || onAbort) ? new CallCell() : undefined
    try {
      const message: CallMessage = [CALL, target.id, how, member, path, undefined, undefined, deadline]
      if (!reply) message.push(undefined, undefined, true)
      else if (cell) message.push(cell.number, cell.turn)
      peer.carry(message, args)
    } catch (error) {
      cell?.free()
      outcome.reject(atCall(cannotCross(error, `${label}: an argument`), trace))
      return undefined
    }
    if (!reply) {
      outcome.resolve(undefined)
      return undefined
    }
    const grace = onAbort ? graceTime : undefined
    const holds = how !== 'idle'
    const limit = settings && (signal || own !== undefined) ? { label, trace, settings, deadline: own } : undefined
    const awaited: Awaited = { outcome, label, trace, keep: target.keep, cell, holds, grace, limit }
    this.#awaited.set(id, awaited)
    if (holds && ++this.#holding === 1) peer.link.hold(true)
    if (signal || deadline !== undefined) this.#watch(id, awaited, signal, deadline)
    return { id, label, deadline }
  }

  #watch(id: CallId, awaited: Awaited, signal: AbortSignal | undefined, deadline: number | undefined): void {
    const unwatch = signal && watchSignal(signal, () => this.giveUp(id, abortReason(signal)))
    const stopTimer =
      deadline === undefined ? undefined : startTimer(Math.max(0, deadline - Date.now()), () => this.timeOut(id))
    awaited.settle = () => {
      unwatch?.()
      stopTimer?.()
    }
  }

  /** The other thread, asked by this one which is blocked, has said that the call only waits there. */
  waits(id: CallId, what: string): void {
    const awaited = this.#awaited.get(id)
    if (!awaited) return
    const message =
      `Waited ${AWAITING_CALLEE_MS} ms for the thread "${this.peer.name}", which is not blocked: ${what}. It may be ` +
      'awaiting what this thread is to do. Await the call instead, or give it a timeout with callWith; one of Infinity ' +
      'waits for ever.'
    this.#giveUp(id, awaited, atCall(timeoutError(message), awaited.trace), true)
  }

  /** The deadline of a call has passed. */
  timeOut(id: CallId): void {
    const awaited = this.#awaited.get(id)
    if (!awaited) return
    const message = `${awaited.label}: no answer from the thread "${this.peer.name}" in time.`
    this.#giveUp(id, awaited, atCall(timeoutError(message), awaited.trace), true)
  }

  /** Frees the caller, and tells the callee. */
  giveUp(id: CallId, reason: unknown): void {
    const awaited = this.#awaited.get(id)
    if (awaited) this.#giveUp(id, awaited, reason, false)
  }

  #giveUp(id: CallId, awaited: Awaited, reason: unknown, timedOut: boolean): void {
    const { cell, grace } = awaited
    cell?.giveUp()
    this.#take(id)
    awaited.outcome.reject(reason)
    this.#sendCancel(id, reason, timedOut)
    if (cell && grace !== undefined) this.#linger(id, awaited.label, cell, grace)
    else cell?.free()
    this.#settled()
  }

  #sendCancel(id: CallId, reason: unknown, timedOut: boolean): void {
    if (!timedOut) {
      try {
        this.peer.carry([CANCEL, id, false, undefined, undefined], reason)
        return
      } catch {
        // The reason can't cross: then without it.
      }
    }
    this.peer.link.send([CANCEL, id, timedOut])
  }

  /** Ends the callee's thread if the call doesn't end in time. */
  #linger(id: CallId, label: string, cell: CallCell, grace: number): void {
    let stopTimer = () => {}
    const letGo = () => {
      stopTimer()
      this.#lingering.delete(id)
      cell.free()
    }
    const look = () => {
      const { started } = cell
      letGo()
      this.#settled()
      // A call that hasn't begun never will: what keeps its thread busy is no fault of this one.
      if (!started) return
      const { threadId, name } = this.peer
      const message = `The thread "${name}" was ended: ${label} had been given up, and went on for ${grace} ms.`
      endOwnThread(threadId, new FlatshareError(message))
    }
    stopTimer = startTimer(grace, look)
    this.#lingering.set(id, letGo)
  }

  receiveAnswer(succeeded: boolean, id: CallId, value: unknown, refs: PackedReference[] | undefined): void {
    const awaited = this.#take(id)
    awaited?.cell?.free()
    this.#lingering.get(id)?.()
    try {
      // Unpacked also where nobody waits any more, so that what it refers to is let go in time.
      const result = unpackWithin(awaited?.limit, () => this.peer.unpack(value, refs))
      if (succeeded) awaited?.outcome.resolve(result)
      else awaited?.outcome.reject(atCaller(result, awaited.trace))
    } catch (error) {
      awaited?.outcome.reject(atCall(error, awaited.trace))
    }
    this.#settled()
  }

  /** The other thread is gone: what still waits ends. */
  end(): void {
    for (const letGo of this.#lingering.values()) letGo()
    for (const id of this.ids()) this.lose(id)
    this.#settled()
  }

  /** The other thread is gone: ends one of the calls. */
  lose(id: CallId): void {
    const awaited = this.#take(id)
    awaited?.cell?.free()
    awaited?.outcome.reject(atCall(this.peer.disconnected(awaited.label, true), awaited.trace))
  }

  #take(id: CallId): Awaited | undefined {
    const awaited = this.#awaited.get(id)
    if (!awaited) return undefined
    this.#awaited.delete(id)
    awaited.settle?.()
    if (awaited.holds && --this.#holding === 0) this.peer.link.hold(false)
    return awaited
  }

  #settled(): void {
    if (this.#awaited.size === 0) this.peer.idle()
  }
}
