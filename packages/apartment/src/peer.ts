/**
 * One end of a link: what this thread awaits from the other, serves it, and holds for it.
 *
 *   unknown  → known   HELLO came: it says which thread is at the other end
 *   known    → closing new calls are refused here; those in flight go on (the opener closes an apartment)
 *   any      → gone    the link closed or the thread ended: every awaited call rejects, every reference
 *                      that the other thread held by this link is dropped
 *
 * Invariants: an awaited call leaves the table exactly once, by its answer, its signal or deadline, or the
 * peer's end; messages that came before the end are received before it, so an answer is never lost to it; a
 * reference sent is counted before its message goes, and uncounted if that couldn't go.
 *
 * A link that came with a single reference closes when neither end has anything left to do with it. Each
 * end judges by itself: while either awaits a call or holds a reference, the other counts it.
 */
import { DisconnectedError, NotMarshalableError } from '@flatshare/core'
import {
  abortReason,
  type CallId,
  causality,
  currentCall,
  newCallId,
  onThreadExitInternal,
  ownThreadId,
  type PackedReference,
  releaseReferences,
  type ThreadId,
  threadName,
  timeoutError,
  timerDelay,
} from '@flatshare/core/internal'
import { atCaller, type CallTrace } from './call-trace.js'
import { cannotCross, packFor, unpackFrom } from './crossing.js'
import { type Link, portLink } from './link.js'
import {
  ANSWER,
  CALL,
  CANCEL,
  CLOSE,
  type Directory,
  FAILURE,
  HELLO,
  type How,
  LINK,
  LOST,
  type Message,
  RELEASE,
} from './messages.js'
import { type CallingPeer, type ServedCall, serveCall } from './serving.js'
import { hold, type Stub, stubById } from './stub.js'

/** How one call is made. */
export interface CallSettings {
  /** Frees the caller at once when it fires; the other side sees `currentCall().signal` fire. */
  readonly signal?: AbortSignal
  /** Milliseconds until the caller is freed by a `TimeoutError`. */
  readonly timeout?: number
}

/** A call that was made and isn't answered. */
interface Awaited {
  resolve(value: unknown): void
  reject(error: unknown): void
  readonly label: string
  readonly trace: CallTrace
  /** The proxy, so that it isn't collected meanwhile. */
  readonly keep: unknown
  /** Lets go of timer and signal. */
  settle?: () => void
}

export interface PeerSettings {
  /** Which thread it is, where that is known before its HELLO. */
  readonly thread?: ThreadId
  /** Closes when nothing is left to do with it. */
  readonly transient?: boolean
  /** Somebody watches the worker itself, and calls `end` with its error once that has ended. */
  readonly watched?: boolean
}

const peers = new Set<Peer>()
let whenAnswered: (() => void) | undefined

/** Calls back once this thread serves no call. */
export function whenAllAnswered(callback: () => void): void {
  whenAnswered = callback
  checkAnswered()
}

function checkAnswered(): void {
  if (!whenAnswered) return
  for (const peer of peers) if (peer.serving.size > 0) return
  whenAnswered()
}

export class Peer implements CallingPeer {
  threadId: ThreadId
  name: string
  readonly serving = new Map<CallId, ServedCall>()
  /** Descriptions that the other end has been told. */
  readonly told = new Set<number>()
  /** References of the other end that this thread holds by this link. */
  held = 0
  onHello?: (serves: Directory | undefined) => void
  onCloseAsked?: () => void
  readonly #awaited = new Map<CallId, Awaited>()
  readonly #counts = new Map<number, number>()
  readonly #goneListeners = new Set<() => void>()
  readonly #idleListeners = new Set<() => void>()
  #gone: { cause: unknown } | undefined
  #closing = false

  constructor(
    readonly link: Link,
    readonly settings: PeerSettings = {},
  ) {
    this.threadId = settings.thread ?? 0
    this.name = settings.thread ? threadName(settings.thread) : 'another thread'
    peers.add(this)
    link.start(
      (message) => this.receive(message),
      () => {
        if (!settings.watched) this.end()
      },
      () => this.#lost(true),
    )
  }

  get gone(): boolean {
    return this.#gone !== undefined
  }

  hello(serves?: Directory): void {
    this.link.send([HELLO, ownThreadId(), threadName(ownThreadId()), serves])
  }

  // ── calls to the other thread ─────────────────────────────────────────────────────────────

  call(
    target: { readonly id: number; readonly name: string; readonly keep?: unknown },
    how: How,
    member: string,
    args: unknown[],
    trace: CallTrace,
    settings?: CallSettings,
  ): Promise<unknown> {
    const label = labelOf(target.name, how, member)
    return new Promise((resolve, reject) => {
      if (this.#gone || this.#closing) {
        reject(atCaller(this.#disconnected(label, false), trace) as Error)
        return
      }
      const { signal, timeout } = settings ?? {}
      if (signal?.aborted) {
        reject(abortReason(signal) as Error)
        return
      }
      const inherited = currentCall()?.deadline
      const own = timeout === undefined ? undefined : Date.now() + timeout
      const deadline = inherited === undefined ? own : Math.min(inherited, own ?? inherited)
      const id = newCallId()
      const awaited: Awaited = { resolve, reject, label, trace, keep: target.keep }
      try {
        this.#send((value, refs) => [CALL, target.id, how, member, [...causality(), id], value, refs, deadline], args)
      } catch (error) {
        reject(atCaller(cannotCross(error, `${label}: an argument`), trace) as Error)
        return
      }
      this.#awaited.set(id, awaited)
      if (this.#awaited.size === 1) this.link.hold(true)
      if (signal || deadline !== undefined) this.#watch(id, awaited, signal, deadline)
    })
  }

  #watch(id: CallId, awaited: Awaited, signal: AbortSignal | undefined, deadline: number | undefined): void {
    const giveUp = (reason: unknown, timedOut: boolean) => {
      if (!this.#take(id)) return
      awaited.reject(reason)
      this.link.send([CANCEL, id, timedOut])
      this.#settled()
    }
    const aborted = () => giveUp(abortReason(signal!), false)
    signal?.addEventListener('abort', aborted, { once: true })
    const timer =
      deadline === undefined
        ? undefined
        : setTimeout(
            () => giveUp(timeoutError(`${awaited.label}: no answer from the thread "${this.name}" in time.`), true),
            timerDelay(deadline - Date.now()),
          )
    awaited.settle = () => {
      signal?.removeEventListener('abort', aborted)
      clearTimeout(timer)
    }
  }

  #take(id: CallId): Awaited | undefined {
    const awaited = this.#awaited.get(id)
    if (!awaited) return undefined
    this.#awaited.delete(id)
    awaited.settle?.()
    if (this.#awaited.size === 0) this.link.hold(false)
    return awaited
  }

  #settled(): void {
    if (this.#awaited.size > 0) return
    for (const listener of this.#idleListeners) listener()
    this.#idleListeners.clear()
    this.closeIfUnused()
  }

  /** Calls back once no call is awaited. */
  whenIdle(listener: () => void): void {
    if (this.#awaited.size === 0) listener()
    else this.#idleListeners.add(listener)
  }

  // ── calls from the other thread ───────────────────────────────────────────────────────────

  unpack(value: unknown, refs: PackedReference[] | undefined): unknown {
    return unpackFrom(this, value, refs)
  }

  answer(call: CallId, value: unknown): void {
    if (!this.serving.delete(call) || this.#gone) return
    try {
      this.#send((packed, refs) => [ANSWER, call, packed, refs], value)
    } catch (error) {
      this.#sendFailure(call, cannotCross(error, 'The result of the call'))
    }
    this.closeIfUnused()
    checkAnswered()
  }

  fail(call: CallId, error: unknown): void {
    if (!this.serving.delete(call) || this.#gone) return
    this.#sendFailure(call, error)
    this.closeIfUnused()
    checkAnswered()
  }

  #sendFailure(call: CallId, error: unknown): void {
    try {
      this.#send((packed, refs) => [FAILURE, call, packed, refs], error)
    } catch (reason) {
      // What was thrown can't cross: the call must settle all the same.
      this.#send((packed, refs) => [FAILURE, call, packed, refs], cannotCross(reason, 'What the call threw'))
    }
  }

  // ── references ────────────────────────────────────────────────────────────────────────────

  /** Counts a reference that is sent to the other end; gives how to uncount it. */
  count(stub: Stub): () => void {
    this.#counts.set(stub.id, (this.#counts.get(stub.id) ?? 0) + 1)
    hold(stub.id, 1, stub)
    return () => this.#uncount(stub.id, 1)
  }

  #uncount(id: number, arrivals: number): void {
    const counted = this.#counts.get(id) ?? 0
    const less = Math.min(counted, arrivals)
    if (less === counted) this.#counts.delete(id)
    else this.#counts.set(id, counted - less)
    hold(id, -less)
  }

  /** Lets go of so many arrivals of one of the other end's references. */
  release(id: number, arrivals: number): void {
    this.held -= arrivals
    if (this.#gone) return
    this.link.send([RELEASE, id, arrivals])
    this.closeIfUnused()
  }

  closeIfUnused(): void {
    if (!this.settings.transient || this.#gone || this.held > 0) return
    if (this.#counts.size > 0 || this.#awaited.size > 0 || this.serving.size > 0) return
    // Nobody's thread has ended: there is nothing to tell.
    this.#goneListeners.clear()
    this.link.close()
    this.end()
  }

  // ── the end ───────────────────────────────────────────────────────────────────────────────

  /** Refuses new calls to the other thread from now on. */
  refuseCalls(): void {
    this.#closing = true
  }

  /** The other end is gone, by `cause` if that is known. */
  end(cause?: unknown): void {
    if (this.#gone) return
    this.link.drain()
    if (this.#gone) return
    this.#gone = { cause }
    peers.delete(this)
    for (const [id, count] of this.#counts) hold(id, -count)
    this.#counts.clear()
    for (const call of this.serving.values()) call.giveUp(false)
    this.serving.clear()
    for (const id of [...this.#awaited.keys()]) {
      const awaited = this.#take(id)
      awaited?.reject(atCaller(this.#disconnected(awaited.label, true), awaited.trace))
    }
    this.#settled()
    for (const listener of [...this.#goneListeners]) listener()
    this.link.close()
  }

  /** Calls back when the other end is gone, soon if it is so already. */
  onGone(listener: () => void): () => void {
    if (this.#gone) queueMicrotask(listener)
    else this.#goneListeners.add(listener)
    return () => this.#goneListeners.delete(listener)
  }

  #disconnected(label: string, mayHaveRun: boolean): DisconnectedError {
    const what = !this.#gone && this.#closing ? 'is being closed' : 'has ended'
    const consequence = mayHaveRun ? 'the call may or may not have run' : 'the call was not made'
    const cause = this.#gone?.cause
    const message = `${label}: the thread "${this.name}" ${what}; ${consequence}.`
    return new DisconnectedError(message, cause === undefined ? { mayHaveRun } : { mayHaveRun, cause })
  }

  // ── messages ──────────────────────────────────────────────────────────────────────────────

  #send(compose: (value: unknown, refs: PackedReference[] | undefined) => Message, value: unknown): void {
    const transferList: any[] = []
    const graph = packFor(this, value, transferList)
    try {
      this.link.send(compose(graph.value, graph.refs), transferList)
    } catch (error) {
      if (graph.refs) releaseReferences(graph.refs)
      throw error
    }
  }

  receive(message: Message): void {
    if (this.#gone || !Array.isArray(message)) return
    switch (message[0]) {
      case CALL:
        serveCall(message, this)
        break
      case ANSWER:
      case FAILURE:
        this.#receiveAnswer(message[0] === ANSWER, message[1], message[2], message[3])
        break
      case CANCEL:
        this.serving.get(message[1])?.giveUp(message[2])
        break
      case RELEASE:
        this.#uncount(message[1], message[2])
        this.closeIfUnused()
        break
      case LINK: {
        const [, id, port] = message
        const peer = new Peer(portLink(port), { transient: true })
        const stub = stubById(id)
        if (stub) peer.count(stub)
        else peer.end()
        break
      }
      case HELLO:
        this.threadId = message[1]
        this.name = message[2]
        this.onHello?.(message[3])
        break
      case CLOSE:
        this.onCloseAsked?.()
        break
      case LOST:
        this.#failLost(message[1])
        if (message[2]) {
          // It may have been the one that described a class.
          this.told.clear()
          this.#lost(false)
        }
    }
  }

  /** A call or an answer was lost, nobody knows which: says what is awaited here. */
  #lost(first: boolean): void {
    if (!this.#gone) this.link.send([LOST, [...this.#awaited.keys()], first])
  }

  /**
   * Of the calls that the other end awaits, those that aren't served here never came, or were answered: an
   * answer that wasn't lost has arrived there before this failure, which then finds nobody waiting.
   */
  #failLost(awaited: readonly CallId[]): void {
    for (const call of awaited) {
      if (this.serving.has(call)) continue
      const message =
        'The call or its answer could not be read where it arrived: what it carries is nested too deeply for ' +
        'the stack of that thread, or of a kind that is not known there. The call may or may not have run.'
      this.#sendFailure(call, new NotMarshalableError(message))
    }
  }

  #receiveAnswer(succeeded: boolean, id: CallId, value: unknown, refs: PackedReference[] | undefined): void {
    const awaited = this.#take(id)
    try {
      // Unpacked also where nobody waits any more, so that what it refers to is let go in time.
      const result = this.unpack(value, refs)
      if (succeeded) awaited?.resolve(result)
      else awaited?.reject(atCaller(result, awaited.trace))
    } catch (error) {
      awaited?.reject(atCaller(error, awaited.trace))
    }
    this.#settled()
  }
}

function labelOf(name: string, how: How, member: string): string {
  if (how === 'create') return `new ${member}()`
  if (how === 'apply') return `${name}()`
  return how === 'get' ? `${name}.${member}` : `${name}.${member}()`
}

onThreadExitInternal(({ id }) => {
  for (const peer of [...peers]) if (peer.threadId === id && !peer.settings.watched) peer.end()
})
