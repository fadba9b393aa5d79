import type { CrossesAsItself, crossesAsItself } from '@flatshare/core'
import { f64, i32, MARSHALER, type Marshaler, registerMarshaler } from '@flatshare/core/internal'
import { addHolder, dropHolder, makeBlock, noteSent, readLabel } from './block.js'
import { Cancellation } from './cancellation.js'
import { type Claim, claim } from './claim.js'
import { changeDouble, items, raiseCount } from './counter.js'
import { needsFine } from './credit.js'
import { Attachment, handleOf, keepHandle } from './handles.js'
import { At, FAR, FINE, GROWS, TOP_LEVEL, WHOLE } from './layout.js'
import { changeLimits, readLimits } from './limits.js'
import { countMore, goByValue, isCancelled, moveTo, position, settledMark, wasCancelled } from './node.js'
import { type ChildOptions, checkLimits, checkNames, type ProgressOptions, wholeTotal } from './options.js'
import { countOf, type ProgressSnapshot, totalOf, valueWithin } from './snapshot.js'
import { checkWatching, onChange, type WatchOptions, watchBlock } from './watch.js'

let byMirror: Marshaler<Progress> | undefined

/** The address of a progress's block, for as long as the progress is held. */
export let addressOf: (progress: Progress) => number

/**
 * How far something is: any thread reports, any thread watches, any thread cancels.
 *
 * The state is in shared memory. A report takes no lock and sends no message, so it may stand in the
 * innermost loop; and it never fails for a smaller or an out-of-range number: `value` never goes back,
 * and is `max` only at the end.
 *
 * It crosses to other threads as itself, by `marshal` or inside a call. It ends when the items are all
 * done, when `done()` says so, or when it is cancelled.
 *
 * @example
 * const progress = new Progress({ total: files.length, label: 'Indexing' })
 * for (const file of files) {
 *   index(file)
 *   if (!progress.advance()) break // cancelled, perhaps by another thread
 * }
 */
export class Progress implements Disposable, AsyncIterable<ProgressSnapshot>, CrossesAsItself {
  declare readonly [crossesAsItself]?: true
  readonly #at: number
  readonly #cancellation: Cancellation

  /**
   * @throws RangeError for limits that are not whole numbers of 32 bits in order, at most 2³⁰ apart.
   * @throws TypeError for a total that is no number, and for options that there are not.
   */
  constructor(options: ProgressOptions = {}) {
    let above: Cancellation | undefined
    if (options instanceof Attachment) {
      this.#at = options.at
      const parent = i32[(options.at + At.parent) >> 2]
      if (parent !== 0) above = handleOf(parent, false, attach).#cancellation
    } else {
      checkNames(options, 'Progress', ['total', 'label', 'min', 'max'])
      const { total = 0, label = '', min = 1, max = 1000 } = options
      checkLimits(min, max)
      const known = wholeTotal(total)
      this.#at = makeBlock(String(label))
      start(this.#at, min, max, known, TOP_LEVEL)
    }
    this.#cancellation = new Cancellation(this, this.#at, above)
    keepHandle(this.#at, this)
  }

  /** From `min` to `max`; it never goes back, and is `max` only at the end. */
  get value(): number {
    const mark = settledMark(this.#at)
    return valueWithin(readLimits(this.#at), mark)
  }

  /** How many items are done, children's included. */
  get count(): number {
    return countOf(this.#at)
  }

  /** How many items there are; 0 while unknown. */
  get total(): number {
    return totalOf(this.#at)
  }

  get min(): number {
    return readLimits(this.#at).min
  }

  get max(): number {
    return readLimits(this.#at).max
  }

  get label(): string {
    return readLabel(this.#at)
  }

  /** Whether this or a progress above it was cancelled. It reads shared memory, so a busy loop sees it at once. */
  get cancelled(): boolean {
    return isCancelled(this.#at)
  }

  /**
   * Aborts on every thread that holds the progress, when it or one above it is cancelled. It is heard
   * from the event loop; code that doesn't return to that asks `cancelled`, or what a report answers.
   *
   * It doesn't keep the process alive.
   */
  get signal(): AbortSignal {
    return this.#cancellation.signal
  }

  /**
   * Says that `n` more items are done.
   *
   * @returns false once it is cancelled: stop, and leave what is done as it is.
   * @throws TypeError for anything but a number. Negative ones count as 0, and parts of an item don't count.
   */
  advance(n = 1): boolean {
    const at = this.#at
    countMore(at, items(n, 'n'))
    return wasCancelled(at) ? this.#cancellation.stops() : true
  }

  /**
   * Says how far it is: the value, and of how many items how many are done (both 0: unknown).
   *
   * `max` with fewer items done than there are is not taken for the end.
   *
   * @returns false once it is cancelled: stop, and leave what is done as it is.
   * @throws TypeError for anything but numbers. Out-of-range ones are clamped, smaller ones ignored.
   */
  report(value: number, count = 0, total = 0): boolean {
    const at = this.#at
    if (typeof value !== 'number' || Number.isNaN(value)) {
      throw new TypeError(`value must be a number, not ${String(value)}.`)
    }
    const done = items(count, 'count')
    const known = wholeTotal(total)
    if (done > 0 || known > 0) goByValue(at)
    if (known > 0 && totalOf(at) !== known) {
      changeDouble(at + At.total, () => known)
      Atomics.and(i32, (at + At.flags) >> 2, ~GROWS)
    }
    if (done > 0) raiseCount(at + At.count, done, totalOf(at))
    moveTo(at, this.#farAt(value, done, known))
    return wasCancelled(at) ? this.#cancellation.stops() : true
  }

  /** MAPI's name for `report`. */
  progress(value: number, count = 0, total = 0): boolean {
    return this.report(value, count, total)
  }

  /** MAPI's name for `min`. */
  getMin(): number {
    return this.min
  }

  /** MAPI's name for `max`. */
  getMax(): number {
    return this.max
  }

  /** 1 (MAPI's top-level flag), or 0 for a child. */
  getFlags(): number {
    return Atomics.load(i32, (this.#at + At.flags) >> 2) & TOP_LEVEL
  }

  /**
   * Changes the limits of this progress, and with them the scale of `value`, in one step; what isn't given stays. A
   * child's limits are its own: changing them does nothing to its parent. `value`, `min` and `max` that are asked one
   * after the other may be those before and after it: `watch` shows them together.
   *
   * @param flags MAPI's: 1 says that it is a top-level progress, 0 that it is not. `getFlags` answers it, and no more.
   * @throws RangeError as the constructor, and for other flags.
   */
  setLimits(min?: number | null, max?: number | null, flags?: number | null): void {
    const top = flags ?? this.getFlags()
    if (top !== 0 && top !== TOP_LEVEL) throw new RangeError(`flags is 0, or 1 for top level; not ${String(top)}.`)
    changeLimits(this.#at, min, max)
    if (top === 0) Atomics.and(i32, (this.#at + At.flags) >> 2, ~TOP_LEVEL)
    else Atomics.or(i32, (this.#at + At.flags) >> 2, TOP_LEVEL)
  }

  /**
   * A progress for a part of this one: what it reports moves this one by as much as its part is worth.
   * Children may run at the same time, on any threads; they sum, and when all parts are done this one is.
   *
   * Its limits are its part of this one's, and it counts as many items as it takes, unless `total` says
   * how many it has itself. Without `share` and `items` it takes all that is left.
   *
   * @throws TypeError for a `share` or a number of `items` that is no number, and for options that there are not.
   * @example
   * const reading = progress.child({ share: 0.8 })
   * const folder = progress.child({ items: 1, total: folder.messages }) // one of many folders
   */
  child(options: ChildOptions = {}): Progress {
    checkNames(options, 'child', ['share', 'items', 'total', 'label'])
    const total = options.total === undefined ? undefined : wholeTotal(options.total)
    const part = claim(this.#at, options.share, options.items)
    const at = makeBlock(String(options.label ?? ''))
    const own = total ?? part.total
    start(at, part.min, part.max, own, needsFine(part.end - part.start, own) ? FINE : 0)
    place(at, this.#at, part)
    return new Progress(new Attachment(at) as ProgressOptions)
  }

  /** Ends it: the value becomes `max`, and watchers end. A cancelled one stays as it is. */
  done(): void {
    if (!this.cancelled) moveTo(this.#at, WHOLE)
  }

  /** Ends it as `done()` does, for `using`. */
  [Symbol.dispose](): void {
    this.done()
  }

  /**
   * Cancels the whole operation, of which this may be a part: whatever thread asks, on whichever part. Every report at
   * every depth answers false from now on, on every thread, and every `signal` aborts. What was done stays as it is: a
   * partial result. After the end of the whole, it does nothing.
   *
   * @param reason for `signal.reason`: an error, or something that JSON carries. An `AbortError` unless given.
   */
  cancel(reason?: unknown): void {
    this.#cancellation.cancelWhole(reason)
  }

  /**
   * Cancels this part alone, with all children at every depth: their reports answer false, and their signals abort. What
   * it is a part of goes on, and can't end by itself any more: say `done()` there when it is through. After the end of
   * this part, it does nothing.
   *
   * @param reason as with `cancel`.
   */
  cancelPart(reason?: unknown): void {
    this.#cancellation.cancel(reason)
  }

  /** @throws the reason, if it was cancelled. */
  throwIfCancelled(): void {
    if (!this.cancelled) return
    this.#cancellation.stops()
    throw this.#cancellation.why()
  }

  /**
   * Shows the state now, then whenever it has changed since, some ten times a second at most, then the
   * last state, and ends: when it is done, when it is cancelled, or by `signal`.
   *
   * Any thread may watch. Leaving the loop leaves nothing behind.
   *
   * @throws TypeError for options that there are not.
   * @throws RangeError for an interval that is no number of milliseconds.
   * @example
   * for await (const { value, max, timeLeft } of progress.watch()) draw(value / max, timeLeft)
   */
  watch(options: WatchOptions = {}): AsyncIterableIterator<ProgressSnapshot> {
    checkWatching(options, 'watch')
    return this.#watch(options)
  }

  /** As `watch()`, for `for await (const now of progress)`. */
  [Symbol.asyncIterator](): AsyncIterableIterator<ProgressSnapshot> {
    return this.watch()
  }

  /** Generators hold what they use: the progress stays for as long as somebody watches. */
  async *#watch(options: WatchOptions): AsyncGenerator<ProgressSnapshot, void, undefined> {
    yield* watchBlock(this.#at, this.signal, options)
  }

  /**
   * Calls `listener` as `watch` would go round. What it throws is reported as uncaught.
   *
   * @returns a function that ends it; it is disposable as well. The listener is not called after that.
   * @throws TypeError for what is no function, and as `watch`.
   */
  onChange(listener: (now: ProgressSnapshot) => void, options: WatchOptions = {}): (() => void) & Disposable {
    return onChange(this, listener, options)
  }

  /** How far a reported value is, in parts of 2³⁰. */
  #farAt(value: number, count: number, total: number): number {
    const at = this.#at
    const { min, max } = readLimits(at)
    const range = max - min
    // A part too small for a value of its own goes by its items.
    if (range === 0) return total > 0 ? position(at, count) : 0
    const offset = Math.floor(Math.max(0, Math.min(range, value - min)))
    if (offset === range) return total > 0 && count < total ? FAR : WHOLE
    const far = Math.ceil((offset / range) * WHOLE)
    return (range * far) / WHOLE < offset ? far + 1 : far
  }

  /** How a progress crosses: as itself. */
  static {
    addressOf = (progress) => progress.#at
    Object.defineProperty(Progress.prototype, MARSHALER, {
      value: {
        kind: 'progress',
        model: 'free',
        get apart() {
          return byMirror
        },
        marshal(progress, { table }) {
          addHolder(progress.#at)
          noteSent(progress.#at)
          return [progress.#at, !table]
        },
        unmarshal: ([at, counted]) => handleOf(at, counted, attach),
        release: ([at]) => dropHolder(at),
      } as Marshaler<Progress, ProgressBody>,
    })
    registerMarshaler((Progress.prototype as unknown as { [MARSHALER]: Marshaler })[MARSHALER])
  }
}

/** Says how a progress crosses to another process. */
export function crossApartBy(marshaler: Marshaler<Progress>): void {
  byMirror = marshaler
}

/** The block, and whether a holder comes with it (a table packet keeps its own). */
type ProgressBody = [at: number, counted: boolean]

function attach(attachment: Attachment): Progress {
  return new Progress(attachment as ProgressOptions)
}

function start(at: number, min: number, max: number, total: number, flags: number): void {
  changeLimits(at, min, max)
  i32[(at + At.flags) >> 2] = total > 0 ? flags : flags | GROWS
  f64[(at + At.total) >> 3] = total
}

function place(at: number, parent: number, part: Claim): void {
  addHolder(parent)
  i32[(at + At.parent) >> 2] = parent
  i32[(at + At.share) >> 2] = part.share
  f64[(at + At.start) >> 3] = part.start
  f64[(at + At.end) >> 3] = part.end
}
