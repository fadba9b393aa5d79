/**
 * A progress at both ends of a port, where the two share no memory: another process, or a page's worker with a memory of
 * its own. Each end has a progress in its own shared memory, and all of this package works there; what has changed is
 * told to the other, some times a second, at the end, and before this end closes as it means to; never once a report.
 *
 *   maker → other   { progress: 'made', label, min, max, total, count, value }    the first, once
 *   both ways       { progress: 'changed', add, byValue?, value?, total?, limits?, end?, reason? }
 *
 * `add` is what was counted here since the last message, without what came from there: both add up all that both have
 * counted, in whatever order the messages cross. Values, like counts, only rise: the greater one stands. The messages are
 * plain values, so anything that carries JSON can pass them on.
 */
import { DisconnectedError } from '@flatshare/core'
import { holdOpen, listen, onLastWords, type Port } from '@flatshare/core/internal'
import { addCount } from './counter.js'
import { At } from './layout.js'
import { readLimits } from './limits.js'
import { goByValue, standsForItself } from './node.js'
import { addressOf, Progress } from './progress.js'
import { packReason, unpackReason } from './reason.js'
import { type ProgressSnapshot, readSnapshot } from './snapshot.js'
import { checkWatching } from './watch.js'

/** How to keep two ends the same. */
export interface MirrorOptions {
  /** Milliseconds between two messages: 100 unless given. The end and a cancel don't wait for it. */
  interval?: number
}

/** What the other end makes its progress of. */
export interface Made {
  readonly progress: 'made'
  readonly label: string
  readonly min: number
  readonly max: number
  readonly total: number
  readonly count: number
  readonly value: number
}

/** What has changed since the last message. */
export interface Changed {
  readonly progress: 'changed'
  readonly add: number
  /** Counts say nothing about the value: it was reported by itself. */
  readonly byValue?: boolean
  readonly value?: number
  readonly total?: number
  readonly limits?: readonly [min: number, max: number]
  readonly end?: 'done' | 'cancelled'
  readonly reason?: string | undefined
}

/** One end. */
export class Mirror {
  /** What the other end knows of: what it was told, and what it has told. */
  #count: number
  #value: number
  #total: number
  #limits: readonly [number, number]
  readonly #ending = new AbortController()
  readonly #release: () => void
  #apart = false
  #stopLastWords: (() => void) | undefined

  constructor(
    readonly progress: Progress,
    readonly port: Pick<Port, 'postMessage'>,
    known: Pick<Made, 'count' | 'value' | 'total' | 'min' | 'max'>,
    hold = true,
  ) {
    this.#release = hold ? holdOpen() : () => {}
    this.#count = known.count
    this.#value = known.value
    this.#total = known.total
    this.#limits = [known.min, known.max]
  }

  /** Tells the other end, until the progress or the mirror has ended. */
  async run(interval: number | undefined): Promise<void> {
    const { signal } = this.#ending
    if (signal.aborted) return
    // What was counted since the last message is told before this end closes.
    this.#stopLastWords = onLastWords(() => this.#tell(readSnapshot(addressOf(this.progress))))
    for await (const now of this.progress.watch({ ...(interval === undefined ? {} : { interval }), signal })) {
      if (!signal.aborted) this.#tell(now)
    }
    this.end()
  }

  #tell(now: ProgressSnapshot): void {
    const [min, max] = this.#limits
    const add = now.count - this.#count
    const changed: Changed = {
      progress: 'changed',
      add,
      ...(add > 0 && standsForItself(addressOf(this.progress)) ? { byValue: true } : {}),
      ...(now.value > this.#value && !now.done ? { value: now.value } : {}),
      ...(now.total !== this.#total ? { total: now.total } : {}),
      ...(now.min !== min || now.max !== max ? { limits: [now.min, now.max] as const } : {}),
      ...(now.done ? { end: 'done' as const } : {}),
      ...(now.cancelled ? { end: 'cancelled' as const, reason: packReason(this.progress.signal.reason) } : {}),
    }
    // The first look, and what has come from there itself, is nothing to tell.
    if (add === 0 && Object.keys(changed).length === 2) return
    this.#count = now.count
    this.#value = now.value
    this.#total = now.total
    this.#limits = [now.min, now.max]
    this.port.postMessage(changed)
  }

  receive({ add, byValue, value, total, limits, end, reason }: Changed): void {
    if (this.#apart) return
    const { progress } = this
    if (limits) {
      progress.setLimits(...limits)
      this.#limits = limits
    }
    if (total !== undefined && total > 0 && total !== progress.total) {
      progress.report(progress.min, 0, total)
      this.#total = total
    }
    if (add > 0) {
      this.#count += add
      if (byValue) this.#countOnly(add)
      else progress.advance(add)
    }
    if (value !== undefined && value < progress.max) {
      progress.report(value)
      this.#value = Math.max(this.#value, value)
    }
    if (!end) return
    // It is told no more: the other end has ended.
    this.end()
    if (end === 'done') progress.done()
    else progress.cancel(reason === undefined ? undefined : unpackReason(reason))
  }

  #countOnly(add: number): void {
    const at = addressOf(this.progress)
    goByValue(at)
    addCount(at + At.count, add)
  }

  /** The two ends go on by themselves: nothing is told, and what is told isn't heard. */
  part(): void {
    this.#apart = true
    this.end()
  }

  /** Tells nothing any more. What the other end has counted until it hears of the end is still heard. */
  end(): void {
    this.#stopLastWords?.()
    this.#ending.abort()
    this.#release()
  }
}

/** What the other end is told of it first. */
export function madeOf(progress: Progress): Made {
  const { label, total, count, value } = progress
  // Both as of one moment.
  const { min, max } = readLimits(addressOf(progress))
  return { progress: 'made', label, min, max, total, count, value }
}

/** The progress at the other end, as far as that was. */
export function madeFrom({ label, min, max, total, count, value }: Made): Progress {
  const progress = new Progress({ label, min, max, total })
  progress.advance(count)
  if (value < max) progress.report(value)
  else progress.done()
  return progress
}

/**
 * Gives a progress to the other end of a port between which and this thread no memory is shared, for example a port to
 * another process. There, `mirroredProgress` receives it. Reports, parts, watching and cancelling work at both ends, and
 * each learns of the other's within `interval`. (Where memory is shared, a progress crosses as itself: by `marshal`, or
 * inside a call. That costs no message.)
 *
 * The port is for this alone. It holds this thread open until the progress has ended, the port is closed (it may have
 * been closed before), or the returned object is disposed of; the progress then goes on at each end by itself.
 *
 * @throws TypeError for options that there are not.
 * @throws RangeError for an interval that is no number of milliseconds.
 * @example
 * using mirror = mirrorProgress(progress.child({ share: 0.5 }), port)
 */
export function mirrorProgress(progress: Progress, port: Port, options: MirrorOptions = {}): Disposable {
  checkWatching(options, 'mirrorProgress', ['interval'])
  const made = madeOf(progress)
  const mirror = new Mirror(progress, port, made)
  const heard = (message: Changed) => {
    if (message.progress === 'changed') mirror.receive(message)
  }
  listen(port, heard, () => mirror.end())
  port.postMessage(made)
  void mirror.run(options.interval)
  return { [Symbol.dispose]: () => mirror.part() }
}

/**
 * Receives the progress that `mirrorProgress` gives to the other end of a port.
 *
 * If the port is closed before the progress has ended, it is cancelled with a `DisconnectedError`: nobody is left for
 * whom to go on.
 *
 * @throws DisconnectedError where the port is closed before the progress has come, or was already.
 * @throws TypeError for options that there are not.
 * @throws RangeError for an interval that is no number of milliseconds.
 * @example
 * const progress = await mirroredProgress(port)
 * while (progress.advance()) index(next())
 */
export async function mirroredProgress(port: Port, options: MirrorOptions = {}): Promise<Progress> {
  checkWatching(options, 'mirroredProgress', ['interval'])
  return await new Promise((resolve, reject) => {
    let mirror: Mirror | undefined
    const release = holdOpen()
    const heard = (message: Made | Changed) => {
      if (message.progress === 'changed') mirror?.receive(message)
      if (message.progress !== 'made' || mirror) return
      const progress = madeFrom(message)
      mirror = new Mirror(progress, port, message)
      release()
      void mirror.run(options.interval)
      resolve(progress)
    }
    const closed = () => {
      release()
      const error = new DisconnectedError('The port that the progress is mirrored over was closed.')
      mirror?.end()
      mirror?.progress.cancel(error)
      reject(error)
    }
    listen(port, heard, closed)
  })
}
