/**
 * One end of a link: what this thread awaits from the other, serves it, and holds for it.
 *
 *   unknown  → known   HELLO came: it says which thread is at the other end
 *   known    → closing new calls are refused here; those in flight go on (the opener closes an apartment)
 *   any      → gone    the link closed or the thread ended: every awaited call rejects, every reference
 *                      that the other thread held by this link is dropped
 *
 * Invariant: messages that came before the end are received before it, so an answer is never lost to it.
 *
 * A link that came with a single reference closes when neither end has anything left to do with it. Each
 * end judges by itself: while either awaits a call or holds a reference, the other counts it.
 */
import { DisconnectedError } from '@flatshare/core'
import {
  afterMicrotasks,
  clock,
  isAlive,
  type LinkDecodeOptions,
  type LinkEncodeOptions,
  ownThreadId,
  type PackedGraph,
  type PackedReference,
  sayLastWords,
  type ThreadId,
  threadName,
} from '@flatshare/core/internal'
import { failLost, sendAnswer, sendFailure, sendFailureOf } from './answers.js'
import type { CallTarget } from './awaited-call.js'
import { dispatchArrived } from './blocked-thread.js'
import type { CallSettings } from './call-settings.js'
import { CallTable } from './call-table.js'
import type { CallTrace } from './call-trace.js'
import { AwaitedCalls, type CalledPeer, HERE } from './calling.js'
import { carriedBy, decodeFrom, encodeFor, packFor, releaseArrived, releaseFrom, unpackFrom } from './crossing.js'
import { EncodedValue } from './incoming.js'
import type { Link, LinkReceiver } from './link.js'
import { callMeant, isMessage } from './message-check.js'
import {
  ANSWER,
  type AnswerMessage,
  ASK,
  CALL,
  CANCEL,
  type CarryingMessage,
  CLOSE,
  type Directory,
  FAILURE,
  HELLO,
  type How,
  LINK,
  LOST,
  type Message,
  RELEASE,
  WAITING,
} from './messages.js'
import { noteAnswered, peers } from './peers.js'
import { SentReferences } from './sent-references.js'
import { callerEnded } from './served-call.js'
import { type CallingPeer, cancelCall, type IncomingCall, serveCall, whatWaits } from './serving.js'
import { linkOver } from './shared-link.js'
import { ABOVE, dropResult, ROOT, type Stub, stubById, TABLE } from './stub.js'

/** How often code that asks all the time has a link to another process looked at. */
const LOOK_MS = 1

export interface PeerSettings {
  /** Which thread it is, where that is known before its HELLO. */
  readonly thread?: ThreadId
  /** Closes when nothing is left to do with it. */
  readonly transient?: boolean
  /** Somebody watches the worker itself, and calls `end` with its error once that has ended. */
  readonly watched?: boolean
  /** Of a thread apart: it may have modules loaded here that this thread doesn't serve. */
  readonly mayLoad?: boolean
  /** Of a thread apart: what it says of objects that live elsewhere is believed. */
  readonly trusted?: boolean
  /** The link has ended, also where it was only unused. */
  readonly onEnd?: () => void
}

export class Peer implements LinkReceiver, CallingPeer, CalledPeer {
  threadId: ThreadId
  name: string
  readonly serving = new CallTable<IncomingCall>()
  /** Descriptions that the other end has been told. */
  readonly told = new Set<number>()
  /** References of the other end that this thread holds by this link. */
  held = 0
  onHello?: (serves: Directory | undefined) => void
  onCloseAsked?: () => void
  /** The other thread could not begin to serve. */
  onFailed?: (error: unknown) => void
  /** Called first at the end, with its cause. */
  onEnding?: (cause: unknown) => void
  /** Where the other thread is a process of its own: a clause that says which, and how it has ended, where that is known. */
  howProcessEnded?: () => string | undefined
  /** The calls of this thread that the other hasn't answered. */
  readonly calls = new AwaitedCalls(this)
  readonly #sent = new SentReferences()
  readonly #goneListeners = new Set<() => void>()
  readonly #idleListeners = new Set<() => void>()
  #gone: { cause: unknown } | undefined
  #closing = false
  #nextLook = 0
  #left = false

  constructor(
    readonly link: Link,
    readonly settings: PeerSettings = {},
  ) {
    this.threadId = settings.thread ?? 0
    this.name = settings.thread ? threadName(settings.thread) : 'another thread'
    peers.add(this)
    link.start(this)
    if (this.threadId !== 0) link.met()
  }

  get apart(): boolean {
    return this.link.apart
  }

  lookApart(): void {
    const now = clock()
    if (now < this.#nextLook || !this.link.drains) return
    this.#nextLook = now + LOOK_MS
    dispatchArrived(
      () => false,
      () => this.link.drain(),
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
    target: CallTarget,
    how: How,
    member: string,
    args: unknown[],
    trace: CallTrace,
    settings?: CallSettings,
    keep?: unknown,
  ): Promise<unknown> {
    return this.calls.call(target, how, member, args, trace, settings, keep)
  }

  /** As `call`, for who is called by the code that makes the call: the trace is taken once the call is on its way. */
  callHere(
    target: CallTarget,
    how: How,
    member: string,
    args: unknown[],
    settings: CallSettings | undefined,
    keep: unknown,
  ): Promise<unknown> {
    return this.calls.call(target, how, member, args, HERE, settings, keep)
  }

  /** How many calls wait for their answers. */
  get load(): number {
    return this.calls.size
  }

  get takesCalls(): boolean {
    if (this.#gone || this.#closing) return false
    // The thread table may know of its end before the link does: what isn't sent has certainly not run.
    return this.threadId === 0 || isAlive(this.threadId)
  }

  disconnected(label: string, mayHaveRun: boolean): DisconnectedError {
    const ended = this.#left ? 'was let go by this one' : 'has ended'
    const what = !this.#gone && this.#closing ? 'is being closed' : ended
    const process = this.#gone && !this.#left ? this.howProcessEnded?.() : undefined
    const subject = process ?? `the thread "${this.name}" ${what}`
    const consequence = mayHaveRun ? 'the call may or may not have run' : 'the call was not made'
    const cause = this.#gone?.cause
    const message = `${label}: ${subject}; ${consequence}.`
    return new DisconnectedError(message, cause === undefined ? { mayHaveRun } : { mayHaveRun, cause })
  }

  idle(): void {
    if (this.#idleListeners.size > 0) {
      for (const listener of this.#idleListeners) listener()
      this.#idleListeners.clear()
    }
    this.closeIfUnused()
  }

  /** Calls back once no call is awaited. */
  whenIdle(listener: () => void): void {
    if (this.calls.size === 0) listener()
    else this.#idleListeners.add(listener)
  }

  // ── calls from the other thread ───────────────────────────────────────────────────────────

  releaseUnread(refs: PackedReference[]): void {
    releaseArrived(this, refs)
  }

  unpack(value: unknown, refs: PackedReference[] | undefined): unknown {
    return value instanceof EncodedValue ? value.decode() : unpackFrom(this, value, refs)
  }

  answer(call: IncomingCall, value: unknown): void {
    const { apart } = this.link
    const dropped = apart && typeof value === 'object' && this.#isUnwanted(call) && dropResult(value)
    if (!this.#ends(call)) return
    if (apart) carriedBy(call, false)
    if (call.isLate) sendFailure(this, call, () => call.lateResult())
    else if (dropped && call.replies) sendFailure(this, call, () => call.reason)
    else if (call.replies) sendAnswer(this, call, value)
    if (apart) this.link.served?.(call.path)
    this.closeIfUnused()
    noteAnswered()
  }

  fail(call: IncomingCall, error: unknown): void {
    if (!this.#ends(call)) return
    if (call.replies) sendFailure(this, call, () => error)
    else call.warn(error, this.name)
    if (this.link.apart) this.link.served?.(call.path)
    this.closeIfUnused()
    noteAnswered()
  }

  /** Whether nobody gets what it gave. */
  #isUnwanted(call: IncomingCall): boolean {
    return this.#gone !== undefined || !call.replies || call.givenUp
  }

  /** Whether it isn't answered yet, and may be. */
  #ends(call: IncomingCall): boolean {
    if (!this.serving.take(call.id)) return false
    call.end()
    return this.#gone === undefined
  }

  // ── references ────────────────────────────────────────────────────────────────────────────

  /** Counts a reference that is sent to the other end; gives how to uncount it. */
  count(stub: Stub): () => void {
    return this.#sent.count(stub)
  }

  get mayLoad(): boolean {
    return !this.link.apart || this.settings.mayLoad === true
  }

  get trusts(): boolean {
    return !this.link.apart || this.settings.trusted === true
  }

  /** Whether the other end may speak of that object: it was given it by this link, or every thread has it. */
  gave(id: number): boolean {
    if (id === ROOT || this.#sent.has(id)) return true
    // What all threads of a process have is none of another one's business.
    if (this.link.apart) return false
    if (id === TABLE || id === ABOVE || this.settings.thread === ownThreadId()) return true
    if (this.threadId !== ownThreadId()) return false
    // Both ends of the link are here: what went in at the other one comes out at this.
    for (const peer of peers) if (peer.threadId === ownThreadId() && peer.#sent.has(id)) return true
    return false
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
    if (this.#sent.size > 0 || this.calls.busy || this.serving.size > 0) return
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

  /** Closes the link, though the other thread lives on. */
  leave(): void {
    if (this.#gone) return
    sayLastWords()
    this.#left = true
    this.end()
  }

  /** The other end is gone, by `cause` if that is known. */
  end(cause?: unknown): void {
    if (this.#gone) return
    this.link.drain()
    if (this.#gone) return
    this.#gone = { cause }
    this.onEnding?.(cause)
    peers.delete(this)
    this.#sent.clear()
    for (const call of this.serving.all()) call.giveUp(callerEnded())
    this.serving.clear()
    this.calls.end()
    const listeners = [...this.#goneListeners]
    // What they hold must not be kept by whoever still holds a reference by this link.
    this.#goneListeners.clear()
    for (const listener of listeners) listener()
    this.link.close()
    this.settings.onEnd?.()
  }

  /** Says why this thread can't serve. */
  sendFailed(error: unknown): void {
    sendFailureOf(this, 0, error)
  }

  /** Calls back when the other end is gone, soon if it is so already. */
  onGone(listener: () => void): () => void {
    if (this.#gone) queueMicrotask(listener)
    else this.#goneListeners.add(listener)
    return () => this.#goneListeners.delete(listener)
  }

  // ── messages ──────────────────────────────────────────────────────────────────────────────

  carry(message: CarryingMessage, value: unknown): void {
    this.link.carry(message, value)
    // Where the link has packed nothing.
    if (this.link.apart) carriedBy(undefined, false)
  }

  pack(value: unknown, transferList: any[]): PackedGraph {
    return packFor(this, value, transferList)
  }

  encode(
    value: unknown,
    start: number,
    end: number,
    most: number,
    options: LinkEncodeOptions,
  ): number | Uint8Array | undefined {
    return encodeFor(this, value, start, end, most, options)
  }

  decode(start: number, end: number, options: LinkDecodeOptions): unknown {
    return decodeFrom(this, start, end, options)
  }

  releaseEncoded(start: number, end: number, options: LinkDecodeOptions): void {
    releaseFrom(this, start, end, options)
  }

  get awaits(): boolean {
    return this.calls.awaited
  }

  closed(cause?: unknown): void {
    if (!this.settings.watched) this.end(cause)
  }

  lost(): void {
    this.#lost(true)
  }

  receiveUnchecked(message: unknown): void {
    if (this.#gone) return
    if (isMessage(message)) this.receive(message)
    else this.#refuse(message)
  }

  receive(message: Message): void {
    if (this.#gone) return
    switch (message[0]) {
      case CALL:
        // The same again is a copy: its number names the first.
        if (!this.serving.get(message[4][message[4].length - 1]!)) serveCall(message, this)
        break
      case ANSWER:
        this.calls.receiveAnswer(true, message[1], message[2], message[3])
        break
      case FAILURE:
        // No call has this number.
        if (message[1] === 0) this.#otherFailed(message)
        else this.calls.receiveAnswer(false, message[1], message[2], message[3])
        break
      case CANCEL:
        cancelCall(message, this)
        break
      case RELEASE:
        this.#sent.uncount(message[1], message[2])
        this.closeIfUnused()
        break
      case LINK: {
        const [, id, port] = message
        const peer = new Peer(linkOver(port, this.link.kind, false), { transient: true })
        const stub = this.gave(id) ? stubById(id) : undefined
        if (stub) peer.count(stub)
        else peer.end()
        break
      }
      case HELLO:
        // Nobody turns into another thread.
        if (this.threadId !== 0 && this.threadId !== message[1]) break
        this.threadId = message[1]
        this.name = message[2]
        this.link.met()
        this.onHello?.(message[3])
        break
      case CLOSE:
        this.onCloseAsked?.()
        break
      case ASK:
        // What came just before may be what the call waits for: it goes on first.
        afterMicrotasks(() => this.#sayWhatWaits(message[1]))
        break
      case WAITING:
        this.calls.waits(message[1], message[2])
        break
      case LOST:
        failLost(this, message[1])
        if (message[2]) {
          // It may have been the one that described a class.
          this.told.clear()
          this.#lost(false)
        }
    }
  }

  #otherFailed([, , value, refs]: AnswerMessage): void {
    try {
      this.onFailed?.(this.unpack(value, refs))
    } catch (error) {
      this.onFailed?.(error)
    }
  }

  #sayWhatWaits(call: number): void {
    const what = whatWaits(call, this)
    if (what && !this.#gone) this.link.send([WAITING, call, what])
  }

  /** What came is no message: if it was meant as a call, whoever made it hears so. */
  #refuse(message: unknown): void {
    const call = callMeant(message)
    if (call === undefined || this.serving.get(call)) return
    const error = new TypeError(`A call came to the thread "${threadName(ownThreadId())}" that is none there.`)
    sendFailureOf(this, call, error)
  }

  /** A call or an answer was lost, nobody knows which: says what is awaited here. */
  #lost(first: boolean): void {
    if (!this.#gone) this.link.send([LOST, this.calls.ids(), first])
  }
}
