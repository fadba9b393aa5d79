/**
 * Until when what a call gave may be iterated: its signal and timeout hold for the iteration, too.
 *
 *   unbegun → watched    with the first step, which tells the home cell and deadline of the whole iteration
 *   watched → over       it ended, or is dropped: nothing is watched any more, and the cell is free
 *   watched → given up   signal or clock: the cell says so at once, and ABORT gives the reason
 *
 * Each step is a call under the same limits besides, so that one which waits is given up as any call. The cell is the
 * iteration's own, because its generator may run while no step is awaited. In another process there is none: ABORT tells.
 *
 * Invariant: what watches doesn't keep the iteration, which is collected when its loop is dropped.
 */
import { abortReason, startDeadline, timeoutError } from '@flatshare/core/internal'
import { CallCell } from './call-cells.js'
import type { CallSettings } from './call-settings.js'
import { atCall, type CallTrace, traceHere } from './call-trace.js'
import type { WholeIteration } from './iteration.js'
import { watchSignal } from './signal-watch.js'

/** The limits of a call that was made. */
export interface IterationLimit {
  /** What errors call the call. */
  readonly label: string
  /** Where it was made; of one that took no stack, where its iteration began. */
  trace: CallTrace
  readonly settings: CallSettings
  /** When its own timeout ends, as `Date.now()` counts. One that it inherits holds for each step by itself. */
  readonly deadline: number | undefined
}

let arriving: IterationLimit | undefined

/** Unpacks what a call gave. */
export function unpackWithin<R>(limit: IterationLimit | undefined, unpack: () => R): R {
  const outer = arriving
  arriving = limit
  try {
    return unpack()
  } finally {
    arriving = outer
  }
}

/** The limits of what is being unpacked. */
export function arrivingLimit(): IterationLimit | undefined {
  return arriving
}

/** Why nothing may be iterated any more; undefined before that. */
export function limitReached(limit: IterationLimit): { readonly reason: unknown } | undefined {
  const { settings, deadline } = limit
  if (settings.signal?.aborted) return { reason: abortReason(settings.signal) }
  return deadline !== undefined && Date.now() >= deadline ? { reason: pastDeadline(limit) } : undefined
}

function pastDeadline({ label, trace }: IterationLimit): DOMException {
  return atCall(timeoutError(`${label}: what it gave was not iterated to its end in time.`), trace)
}

/** What is told when a limit is reached. */
interface Limited {
  giveUp(reason: unknown): void
}

const dropped = new FinalizationRegistry<LimitWatch>((watch) => watch.stop())

/** Watches the limits of an iteration that has begun. */
export class LimitWatch {
  /** For the home of the iteration. */
  readonly told: WholeIteration
  readonly #limit: IterationLimit
  readonly #cell: CallCell | undefined
  readonly #unwatch: (() => void) | undefined
  readonly #stopTimer: (() => void) | undefined
  #stopped = false

  /** @param apart the home shares no memory with this thread, nor, perhaps, its clock. */
  constructor(limit: IterationLimit, iteration: Limited, apart: boolean) {
    const { settings, deadline } = limit
    const { signal } = settings
    const limited = new WeakRef(iteration)
    this.#limit = limit
    // Once for an iteration, and not for each call: it may be had whatever it costs.
    limit.trace ??= traceHere()
    this.#cell = signal && !apart ? new CallCell() : undefined
    const left = deadline === undefined ? undefined : Math.max(0, deadline - Date.now())
    this.told = apart ? [undefined, undefined, undefined, left] : [this.#cell?.number, this.#cell?.turn, deadline]
    this.#unwatch = signal && watchSignal(signal, () => limited.deref()?.giveUp(abortReason(signal)))
    if (deadline !== undefined) {
      const expire = () => limited.deref()?.giveUp(pastDeadline(limit))
      this.#stopTimer = startDeadline(deadline, expire, false)
    }
    dropped.register(iteration, this, this)
  }

  /** How a step is called now. */
  get settings(): CallSettings {
    const { settings, deadline } = this.#limit
    return deadline === undefined ? settings : { ...settings, timeout: Math.max(0, deadline - Date.now()) }
  }

  /** It is over or given up. Again does nothing. */
  stop(): void {
    if (this.#stopped) return
    this.#stopped = true
    this.#unwatch?.()
    this.#stopTimer?.()
    this.#cell?.free()
    dropped.unregister(this)
  }
}
