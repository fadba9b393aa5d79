/**
 * A call from another thread, as the code that serves it sees it: `currentCall()`.
 *
 *   waits    → runs      `begin`, unless its caller wants it no more
 *   waits    → given up  it is answered at once and never runs
 *   runs     → given up  the signal says so; the call goes on as long as it likes
 *   any      → ended     it was answered: from then on its signal stays as it is
 *
 * That the caller has given it up is known from whatever comes first: the cell in shared memory, the clock, the
 * thread table (its thread has ended), or the message with the caller's reason. Of a thread of another process only the
 * message tells, so code that asks again and again, without going back to its event loop, has the link looked at.
 */
import {
  type Call,
  type CallId,
  isAlive,
  startDeadline,
  type ThreadId,
  timeoutError,
  warn,
} from '@flatshare/core/internal'
import type { CallerCell } from './call-cells.js'

const calls = new WeakMap<AbortSignal, ServedCall>()
const callOf = (signal: AbortSignal): ServedCall => calls.get(signal)!

/**
 * The prototype of calls' signals. They are signals in every way, made by the runtime and fired by a controller; what
 * is asked of them goes beyond what has been fired.
 */
const livePrototype = Object.create(AbortSignal.prototype, {
  aborted: {
    get(this: AbortSignal): boolean {
      const call = callOf(this)
      call.look()
      return call.givenUp
    },
    configurable: true,
  },
  reason: {
    get(this: AbortSignal): unknown {
      return callOf(this).reason
    },
    configurable: true,
  },
  throwIfAborted: {
    value(this: AbortSignal): void {
      const call = callOf(this)
      call.look()
      if (call.givenUp) throw call.reason
    },
    configurable: true,
    writable: true,
  },
}) as AbortSignal

export class ServedCall implements Call {
  readonly id: CallId
  begun = false
  #controller: AbortController | undefined
  #given: { readonly reason: unknown } | undefined
  #stopTimer: (() => void) | undefined
  #ended = false

  constructor(
    readonly caller: ThreadId,
    readonly path: readonly CallId[],
    readonly deadline: number | undefined,
    readonly cell: CallerCell | undefined,
    /** Whether the caller awaits an answer. */
    readonly replies: boolean,
  ) {
    this.id = path[path.length - 1]!
  }

  /** What errors call it. */
  get label(): string {
    return 'A call'
  }

  get signal(): AbortSignal {
    if (this.#controller) return this.#controller.signal
    const controller = new AbortController()
    this.#controller = controller
    calls.set(controller.signal, this)
    Object.setPrototypeOf(controller.signal, livePrototype)
    if (this.givenUp) controller.abort(this.reason)
    else if (this.deadline !== undefined && !this.#ended) {
      // The caller's message may be late: its thread may be busy, or blocked by this very call.
      this.#stopTimer = startDeadline(this.deadline, () => this.giveUp(this.#pastDeadline()))
    }
    return controller.signal
  }

  /** Looks whether the caller has said so, where that isn't in shared memory. */
  look(): void {}

  /** Whether the caller wants it no more, as of now. */
  get givenUp(): boolean {
    if (this.#given) return true
    if (this.#ended) return false
    const { deadline, cell, caller } = this
    if (deadline !== undefined && Date.now() >= deadline) return true
    return cell?.wanted === false || (caller !== 0 && !isAlive(caller))
  }

  /** Why the caller wants it no more. It never changes, as the reason of a signal doesn't. */
  get reason(): unknown {
    if (!this.#given && this.givenUp) {
      const { deadline, cell } = this
      if (deadline !== undefined && Date.now() >= deadline) this.#given = { reason: this.#pastDeadline() }
      else if (cell?.wanted === false) this.#given = { reason: callGivenUp() }
      else this.#given = { reason: callerEnded() }
    }
    return this.#given?.reason
  }

  #pastDeadline(): DOMException {
    return timeoutError("The caller's deadline has passed.")
  }

  /** The call is to run now: false where its caller wants it no more. */
  begin(): boolean {
    if (this.givenUp || this.cell?.start() === false) return false
    this.begun = true
    return true
  }

  /** The caller has said, for this reason, that it wants the call no more. */
  giveUp(reason: unknown): void {
    if (this.#ended) return
    this.#given ??= { reason }
    this.#stopTimer?.()
    this.#controller?.abort(this.#given.reason)
  }

  /** Says what went wrong, where nobody awaits an answer. That it wasn't wanted any more is nothing wrong. */
  warn(error: unknown, caller: string): void {
    if (this.#given || (!this.begun && this.givenUp)) return
    let detail: string
    try {
      detail = error instanceof Error ? String(error.stack) : String(error)
    } catch {
      detail = 'What was thrown says nothing of itself.'
    }
    warn(
      `${this.label}, a call of the thread "${caller}" without an answer, failed: ${detail.split('\n', 1)[0]}`,
      detail,
    )
  }

  /**
   * Whether its caller's deadline has passed: then a result is none, because whoever looks at the clock or the signal may
   * have stopped half-way.
   */
  get isLate(): boolean {
    return this.deadline !== undefined && this.replies && Date.now() >= this.deadline
  }

  lateResult(): DOMException {
    return timeoutError(`${this.label}: its result came after the caller's deadline.`)
  }

  /** It was answered. */
  end(): void {
    this.#ended = true
    this.#stopTimer?.()
  }
}

/** Why a call was given up, where the caller's own reason isn't known. */
export function callGivenUp(): DOMException {
  return new DOMException('The caller gave the call up.', 'AbortError')
}

/** Why a call is served for nobody. */
export function callerEnded(): DOMException {
  return new DOMException('The thread that made the call has ended.', 'AbortError')
}
