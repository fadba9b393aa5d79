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
  type Call,
  type CallId,
  callOf,
  currentFrame,
  forgetHolding,
  newCallId,
  noteHolding,
  type PackedReference,
  startDeadline,
  startTimer,
  type ThreadId,
  timeoutError,
} from '@flatshare/core/internal'
import { AwaitedCall, type CallTarget } from './awaited-call.js'
import { CallCell } from './call-cells.js'
import { CallResult } from './call-result.js'
import { GRACE_TIME, type InnerSettings } from './call-settings.js'
import { CallTable } from './call-table.js'
import { atCall, atCaller, type CallTrace, traceCall, traceFew } from './call-trace.js'
import { cannotCross, carriedBy } from './crossing.js'
import { arrivingLimit, unpackWithin } from './iteration-limit.js'
import type { Link } from './link.js'
import { CALL, CANCEL, type CallMessage, type CarryingMessage, type How } from './messages.js'
import { endOwnThread } from './own-threads.js'
import { isAtRest } from './pump.js'
import { watchSignal } from './signal-watch.js'

/** How long this thread blocks for one that neither computes nor blocks. */
export const AWAITING_CALLEE_MS = 30_000

/** The thread that is called, as far as calling it goes. */
export interface CalledPeer {
  readonly threadId: ThreadId
  readonly name: string
  readonly link: Link
  /** Whether calls can be made. */
  readonly takesCalls: boolean
  /** Why no call can be made, or what becomes of one that was. */
  disconnected(label: string, mayHaveRun: boolean): Error
  carry(message: CarryingMessage, value: unknown): void
  unpack(value: unknown, refs: PackedReference[] | undefined): unknown
  /** Lets go of what came from a thread apart and is not unpacked. */
  releaseUnread(refs: PackedReference[]): void
  /** No call is awaited any more. */
  idle(): void
}

/** For a call's trace: whoever makes it is running, and its trace can be taken when the call is on its way. */
export const HERE = Symbol('here')

/** A signal's reason that takes a call back which has not begun. One that has is awaited; it learns that it isn't wanted. */
export class TakenBack extends Error {}

type Settle = (outcome: unknown) => void

let resolve: Settle | undefined
let reject: Settle | undefined

/** One for all promises. */
const takeSettlers = (resolveIt: Settle, rejectIt: Settle) => {
  resolve = resolveIt
  reject = rejectIt
}

/** A message that nobody uses just now: no link keeps one. */
let spare: CallMessage | undefined = [
  CALL,
  0,
  'call',
  '',
  [],
  undefined,
  undefined,
  undefined,
  undefined,
  undefined,
  false,
]

/** What a call that never began was answered with. */
const isGivenUp = (error: unknown) => error instanceof DOMException && error.name === 'AbortError'

/** The calls that await the answer of one peer. */
export class AwaitedCalls {
  readonly #awaited = new CallTable<AwaitedCall>()
  /** Calls that were given up and whose thread shall end if they don't: how to let go of each. */
  readonly #lingering = new Map<CallId, () => void>()
  #whenNoneLingers: Array<() => void> = []
  #holding = 0
  /** Of the calls that are awaited, those whose answers nobody waits for. */
  #patient = 0

  constructor(readonly peer: CalledPeer) {}

  get size(): number {
    return this.#awaited.size
  }

  /** Whether somebody waits for an answer. */
  get awaited(): boolean {
    return this.#awaited.size > this.#patient
  }

  /** Whether the link is still needed for any of them. */
  get busy(): boolean {
    return this.#awaited.size + this.#lingering.size > 0
  }

  /** Resolves once no call that was given up is left whose thread shall end if it doesn't. */
  async noneLingers(): Promise<void> {
    if (this.#lingering.size > 0) await new Promise<void>((resolve) => this.#whenNoneLingers.push(resolve))
  }

  ids(): CallId[] {
    return this.#awaited.all().map(({ id }) => id)
  }

  /** Makes a call. Each failure is one of the promise; nothing is thrown. */
  call(
    target: CallTarget,
    how: How,
    member: string,
    args: unknown[],
    trace: CallTrace | typeof HERE,
    settings: InnerSettings | undefined,
    keep: unknown,
  ): CallResult {
    const result = new CallResult(takeSettlers)
    const given = trace === HERE ? undefined : trace
    const call = new AwaitedCall(target, how, member, keep, given, resolve, reject)
    // Or the last promise, and what it gave, were kept for ever.
    resolve = reject = undefined
    const { link } = this.peer
    const waits = !settings?.patient && isAtRest() && link.waitsInPlace?.() === true
    this.#make(call, args, settings)
    // One that was refused, or has no answer, isn't in the table.
    if (waits && this.#awaited.get(call.id) === call && link.waitInPlace!(call.id)) return result
    if (trace === HERE) call.trace = traceCall()
    return result
  }

  /** Makes a call for which this thread blocks. Unless it is settled by then, its end is to be waited for. */
  callBlocking(
    target: CallTarget,
    how: How,
    member: string,
    args: unknown[],
    settings: InnerSettings | undefined,
    keep: unknown,
  ): AwaitedCall {
    const call = new AwaitedCall(target, how, member, keep, undefined, undefined, undefined)
    this.#make(call, args, settings)
    return call
  }

  #make(call: AwaitedCall, args: unknown[], settings: InnerSettings | undefined): void {
    const { peer } = this
    if (!peer.takesCalls) {
      call.refuse(peer.disconnected(call.label, false))
      return
    }
    const frame = currentFrame()
    const parent = callOf(frame)
    if ((settings !== undefined || parent?.deadline !== undefined) && !this.#limit(call, settings, parent)) return
    const { target, how, member, cell, deadline } = call
    const replies = settings?.reply !== false
    const id = newCallId()
    call.id = id
    const path = parent ? [...parent.path, id] : [id]
    try {
      if (peer.link.apart) carriedBy(call, settings?.downgrade === 'refuse')
      this.#send(target.id, how, member, path, deadline, replies, cell, args)
    } catch (error) {
      cell?.free()
      call.refuse(cannotCross(error, `${call.label}: an argument`))
      return
    }
    if (!replies) {
      if (call.resolve) peer.link.whenTaken(() => call.succeed(undefined))
      else call.succeed(undefined)
      return
    }
    this.#awaited.add(call)
    if (settings?.patient) {
      call.patient = true
      this.#patient++
    }
    if (frame !== undefined && frame.holds !== undefined) {
      noteHolding(id, frame)
      call.holds = true
    }
    if (how !== 'idle' && ++this.#holding === 1) peer.link.hold(true)
    if (settings?.signal || deadline !== undefined) this.#watch(call, settings?.signal, deadline)
  }

  #send(
    target: number,
    how: How,
    member: string,
    path: readonly CallId[],
    deadline: number | undefined,
    replies: boolean,
    cell: CallCell | undefined,
    args: unknown[],
  ): void {
    const message: CallMessage = spare ?? [CALL, 0, how, '', path, undefined, undefined, undefined]
    // Packing the arguments may run code of users, which may call.
    spare = undefined
    message[1] = target
    message[2] = how
    message[3] = member
    message[4] = path
    message[7] = deadline
    message[8] = replies ? cell?.number : undefined
    message[9] = replies ? cell?.turn : undefined
    message[10] = !replies
    try {
      this.peer.carry(message, args)
    } finally {
      spare = message
    }
  }

  /** Notes until when a call may take; false where that was refused. */
  #limit(call: AwaitedCall, settings: InnerSettings | undefined, parent: Call | undefined): boolean {
    const { signal, timeout, onAbort, graceTime = GRACE_TIME, reply = true } = settings ?? {}
    if (signal?.aborted) {
      call.fail(abortReason(signal))
      return false
    }
    const inherited = parent?.deadline
    const own = timeout === undefined ? undefined : Date.now() + timeout
    const deadline = inherited === undefined ? own : Math.min(inherited, own ?? inherited)
    if (deadline !== undefined && deadline <= Date.now()) {
      call.refuse(timeoutError(`${call.label}: no time is left; the call was not made.`))
      return false
    }
    if (!reply && call.how === 'get') {
      const message = `${call.label}: the value of a property is an answer, and these calls have none (reply: false).`
      call.refuse(new TypeError(message))
      return false
    }
    call.deadline = deadline
    if (reply && (signal || onAbort) && !this.peer.link.apart) call.cell = new CallCell()
    if (onAbort) call.grace = graceTime
    if (settings && (signal || own !== undefined)) {
      call.limit = { label: call.label, trace: call.trace ?? traceFew(), settings, deadline: own }
    }
    return true
  }

  #watch(call: AwaitedCall, signal: AbortSignal | undefined, deadline: number | undefined): void {
    const { id } = call
    const unwatch = signal && watchSignal(signal, () => this.giveUp(id, abortReason(signal)))
    const stopTimer = deadline === undefined ? undefined : startDeadline(deadline, () => this.timeOut(id))
    call.letGo = () => {
      unwatch?.()
      stopTimer?.()
    }
  }

  /** The other thread, asked by this one which is blocked, has said that the call only waits there. */
  waits(id: CallId, what: string): void {
    const call = this.#awaited.get(id)
    if (!call) return
    const message =
      `Waited ${AWAITING_CALLEE_MS} ms for the thread "${this.peer.name}", which is not blocked: ${what}. It may be ` +
      'awaiting what this thread is to do. Await the call instead, or give it a timeout with callWith; one of Infinity ' +
      'waits for ever.'
    this.#timeOut(call, message)
  }

  /** The deadline of a call has passed. */
  timeOut(id: CallId): void {
    const call = this.#awaited.get(id)
    if (call) this.#timeOut(call, `${call.label}: no answer from the thread "${this.peer.name}" in time.`)
  }

  #timeOut(call: AwaitedCall, message: string): void {
    this.#end(call, (id) => {
      call.fail(timeoutError(message), atCall)
      this.peer.link.send([CANCEL, id, true])
    })
  }

  /** Frees the caller, and tells the callee. */
  giveUp(id: CallId, reason: unknown, place?: typeof atCall): void {
    const call = this.#awaited.get(id)
    if (!call) return
    if (reason instanceof TakenBack) {
      if (this.peer.link.apart) {
        // Whether it has begun, its own thread alone knows: its answer says so.
        call.takenBack = reason
        this.#sendCancel(id, reason)
        return
      }
      call.cell?.giveUp()
      if (call.cell?.started) {
        this.peer.link.send([CANCEL, id, false])
        return
      }
    }
    this.#end(call, () => {
      call.fail(reason, place)
      this.#sendCancel(id, reason)
    })
  }

  /** Ends a call before its answer. */
  #end(call: AwaitedCall, end: (id: CallId) => void): void {
    const { id, cell, grace } = call
    cell?.giveUp()
    this.#take(id)
    end(id)
    if (grace !== undefined) this.#linger(id, call.label, cell, grace)
    else cell?.free()
    this.#settled()
  }

  #sendCancel(id: CallId, reason: unknown): void {
    try {
      this.peer.carry([CANCEL, id, false, undefined, undefined], reason)
    } catch {
      // The reason can't cross: then without it.
      this.peer.link.send([CANCEL, id, false])
    }
  }

  /** Ends the callee's thread if the call doesn't end in time. */
  #linger(id: CallId, label: string, cell: CallCell | undefined, grace: number): void {
    let stopTimer = () => {}
    const letGo = () => {
      stopTimer()
      this.#lingering.delete(id)
      cell?.free()
      if (this.#lingering.size > 0) return
      for (const resolve of this.#whenNoneLingers) resolve()
      this.#whenNoneLingers = []
    }
    const look = () => {
      // Of a thread apart nobody knows more than that it hasn't answered.
      const started = cell?.started ?? true
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
    const call = this.#take(id)
    if (call?.cell) call.cell.free()
    if (this.#lingering.size > 0) this.#lingering.get(id)?.()
    try {
      if (!call && this.peer.link.apart) {
        // At once, and not when it is collected: it may be a lock's guard.
        if (refs) this.peer.releaseUnread(refs)
        this.#settled()
        return
      }
      // Unpacked also where nobody waits any more, so that what it refers to is let go in time.
      const result = this.#unpack(call, value, refs)
      if (call) {
        if (succeeded) call.succeed(result)
        else if (call.takenBack && isGivenUp(result)) call.fail(call.takenBack)
        else call.fail(result, atCaller)
      }
    } catch (error) {
      call?.fail(error, atCall)
    }
    this.#settled()
  }

  #unpack(call: AwaitedCall | undefined, value: unknown, refs: PackedReference[] | undefined): unknown {
    const limit = call?.limit
    if (limit === undefined && arrivingLimit() === undefined) return this.peer.unpack(value, refs)
    return unpackWithin(limit, () => this.peer.unpack(value, refs))
  }

  /** The other thread is gone: what still waits ends. */
  end(): void {
    for (const letGo of this.#lingering.values()) letGo()
    for (const id of this.ids()) this.lose(id)
    this.#settled()
  }

  /** The other thread is gone: ends one of the calls. */
  lose(id: CallId): void {
    const call = this.#take(id)
    call?.cell?.free()
    call?.fail(this.peer.disconnected(call.label, true), atCall)
  }

  #take(id: CallId): AwaitedCall | undefined {
    const call = this.#awaited.take(id)
    if (call === undefined) return undefined
    if (call.patient) this.#patient--
    if (call.holds) forgetHolding(id)
    if (call.letGo) call.letGo()
    if (call.how !== 'idle' && --this.#holding === 0) this.peer.link.hold(false)
    return call
  }

  #settled(): void {
    if (this.#awaited.size === 0) this.peer.idle()
  }
}
