/** A call of this thread, from its making until it is settled. */
import { type CallId, keepOne, LARGE_ID } from '@flatshare/core/internal'
import type { CallCell } from './call-cells.js'
import { atCall, type CallTrace, failLater } from './call-trace.js'
import type { IterationLimit } from './iteration-limit.js'
import { type How, labelOf } from './messages.js'

/** What is called. */
export interface CallTarget {
  readonly id: number
  readonly name: string
}

/** `atCall` or `atCaller`. */
type Place = (error: unknown, trace: CallTrace) => unknown

export class AwaitedCall {
  /** 0 until it is made. */
  id: CallId = 0
  /** Whether it has its outcome, and which. */
  settled: 'succeeded' | 'failed' | undefined
  outcome: unknown
  #place: Place | undefined
  /** When it is given up. */
  deadline: number | undefined
  /** Of a call that may be given up before any deadline. */
  cell: CallCell | undefined
  /** Milliseconds after which its thread shall end, where that was asked for. */
  grace: number | undefined
  /** Whether it was made by code that holds a lock. */
  holds = false
  /** Whether nobody waits for its answer. */
  patient = false
  /** Until when what it gives may be iterated. */
  limit: IterationLimit | undefined
  /** Of a thread apart: why it shall not begin, if it hasn't. */
  takenBack: unknown
  /** Lets go of timer and signal. */
  letGo: (() => void) | undefined

  /**
   * @param keep the proxy, so that it isn't collected meanwhile.
   * @param resolve of its promise; none where this thread blocks for it.
   */
  constructor(
    readonly target: CallTarget,
    readonly how: How,
    readonly member: string,
    readonly keep: unknown,
    public trace: CallTrace,
    readonly resolve: ((value: unknown) => void) | undefined,
    readonly reject: ((error: unknown) => void) | undefined,
  ) {}

  /** What errors call it. */
  get label(): string {
    return labelOf(this.target.name, this.how, this.member)
  }

  succeed(value: unknown): void {
    if (this.resolve) this.resolve(value)
    else {
      this.settled = 'succeeded'
      this.outcome = value
    }
  }

  /** @param place puts the place of the call into the stack of the error, where that isn't there yet. */
  fail(error: unknown, place?: Place): void {
    const { trace, resolve, reject } = this
    if (!resolve) {
      this.settled = 'failed'
      this.outcome = error
      this.#place = place
    } else if (!place) reject!(error)
    else if (trace) reject!(place(error, trace))
    else failLater(resolve, (waiting) => place(error, waiting))
  }

  /** Nothing is called: whoever wanted it is still there. */
  refuse(error: unknown): void {
    this.fail(atCall(error, this.trace))
  }

  /** Gives what a call that blocked has given, or throws what it threw. */
  end(): unknown {
    if (this.settled === 'succeeded') return this.outcome
    throw this.#place ? this.#place(this.outcome, undefined) : this.outcome
  }
}

const one = new AwaitedCall({ id: 0, name: '' }, 'call', '', undefined, undefined, undefined, undefined)
one.id = LARGE_ID
keepOne(one)
