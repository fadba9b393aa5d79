import type { CrossesAsItself, crossesAsItself } from '@flatshare/core'
import { f64, i32, MARSHALER, type Marshaler, registerMarshaler, waitAsync } from '@flatshare/core/internal'
import { addHolder, dropHolder, freeText, loadText, makeBlock, noteSent, readLabel, storeText } from './block.js'
import { type Claim, claim } from './claim.js'
import { addCount, changeDouble, items, raiseCount } from './counter.js'
import { Attachment, handleOf, keepHandle } from './handles.js'
import { At, FAR, GROWS, TOP_LEVEL, WHOLE } from './layout.js'
import { advanceTo, isCancelled, markCancelled, position, readMark } from './node.js'
import { defaultReason, packReason, unpackReason } from './reason.js'
import { countOf, type ProgressSnapshot, readMax, readMin, totalOf, valueAt } from './snapshot.js'
import { checkInterval, type WatchOptions, watchBlock } from './watch.js'

/** What a progress starts with. */
export interface ProgressOptions {
  /** How many items there are; 0, or not given, while unknown. */
  total?: number
  /** What people read beside the bar. */
  label?: string
  /** The value at the start: 1 unless given. */
  min?: number
  /** The value at the end: 1000 unless given. */
  max?: number
}

/** Which part of the parent a child takes, by one of `share` and `items`. */
export interface ChildOptions {
  /** A part of the parent's range, from 0 to 1; of the parent's items too, where their number is known. */
  share?: number
  /** So many of the parent's items. Where the parent's total was never given, it grows by them. */
  items?: number
  /** How many items the child has itself, if not those that it takes of its parent. */
  total?: number
  /** What people read beside the child's bar. */
  label?: string
}

const LOWEST = -0x80000000
const HIGHEST = 0x7fffffff
const WIDEST = 0x40000000

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
export class Progress implements Disposable, CrossesAsItself {
  declare readonly [crossesAsItself]?: true
  readonly #at: number
  readonly #parent: Progress | undefined
  #controller: AbortController | undefined
  #signal: AbortSignal | undefined
  #reason: unknown

  /**
   * @throws RangeError for limits that are not whole numbers of 32 bits in order, at most 2³⁰ apart.
   * @throws TypeError for a total that is no number.
   */
  constructor(options: ProgressOptions = {}) {
    if (options instanceof Attachment) {
      this.#at = options.at
      const parent = i32[(options.at + At.parent) >> 2]
      if (parent !== 0) this.#parent = handleOf(parent, false, attach)
    } else {
      const { total = 0, label = '', min = 1, max = 1000 } = options
      checkLimits(min, max)
      const known = wholeTotal(total)
      this.#at = makeBlock(String(label))
      start(this.#at, min, max, known, TOP_LEVEL)
    }
    keepHandle(this.#at, this)
  }

  /** From `min` to `max`; it never goes back, and is `max` only at the end. */
  get value(): number {
    return valueAt(this.#at, readMark(this.#at))
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
    return readMin(this.#at)
  }

  get max(): number {
    return readMax(this.#at)
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
    if (!this.#signal) {
      this.#controller = new AbortController()
      const above = this.#parent?.signal
      this.#signal = above ? AbortSignal.any([above, this.#controller.signal]) : this.#controller.signal
      void this.#listen()
    }
    if (this.cancelled) this.#heed()
    return this.#signal
  }

  /**
   * Says that `n` more items are done.
   *
   * @returns false once it is cancelled: stop, and leave what is done as it is.
   * @throws TypeError for anything but a number. Negative ones count as 0, and parts of an item don't count.
   */
  advance(n = 1): boolean {
    const at = this.#at
    const step = (n | 0) === n && n >= 0 ? n : items(n, 'n')
    const far = position(at, addCount(at + At.count, step))
    const mark = readMark(at)
    advanceTo(at, far, mark)
    return (mark >= 0 && this.#parent === undefined) || this.#goesOn()
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
    if (known > 0 && totalOf(at) !== known) {
      changeDouble(at + At.total, () => known)
      Atomics.and(i32, (at + At.flags) >> 2, ~GROWS)
    }
    if (done > 0) raiseCount(at + At.count, done)
    advanceTo(at, this.#farAt(value, done, known), readMark(at))
    return this.#goesOn()
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
   * Changes the limits of this progress, and with them the scale of `value`; what isn't given stays. A
   * child's limits are its own: changing them does nothing to its parent.
   *
   * @throws RangeError as the constructor.
   */
  setLimits(min: number = this.min, max: number = this.max): void {
    checkLimits(min, max)
    Atomics.store(i32, (this.#at + At.min) >> 2, min)
    Atomics.store(i32, (this.#at + At.max) >> 2, max)
  }

  /**
   * A progress for a part of this one: what it reports moves this one by as much as its part is worth.
   * Children may run at the same time, on any threads; they sum, and when all parts are done this one is.
   *
   * Its limits are its part of this one's, and it counts as many items as it takes, unless `total` says
   * how many it has itself.
   *
   * @throws TypeError when neither `share` nor `items` is a number.
   * @example
   * const reading = progress.child({ share: 0.8 })
   * const folder = progress.child({ items: 1, total: folder.messages }) // one of many folders
   */
  child(options: ChildOptions): Progress {
    if (typeof options !== 'object' || options === null) {
      throw new TypeError('child takes { share }, a number from 0 to 1, or { items }, a number.')
    }
    const total = options.total === undefined ? undefined : wholeTotal(options.total)
    const part = claim(this.#at, options.share, options.items)
    const at = makeBlock(String(options.label ?? ''))
    start(at, part.min, part.max, total ?? part.total, 0)
    place(at, this.#at, part)
    return new Progress(new Attachment(at) as ProgressOptions)
  }

  /** Ends it: the value becomes `max`, and watchers end. A cancelled one stays as it is. */
  done(): void {
    if (!this.cancelled) advanceTo(this.#at, WHOLE, readMark(this.#at))
  }

  /** Ends it as `done()` does, for `using`. */
  [Symbol.dispose](): void {
    this.done()
  }

  /**
   * Cancels it, and all children at every depth, on whatever threads: every report answers false from
   * now on, and `signal` aborts. Its parent goes on. After the end, it does nothing.
   *
   * @param reason for `signal.reason`: an error, or something that JSON carries. An `AbortError` unless given.
   */
  cancel(reason?: unknown): void {
    const at = this.#at
    if (this.cancelled) return
    const text = reason === undefined ? undefined : packReason(reason)
    if (text !== undefined) {
      const stored = storeText(text)
      if (Atomics.compareExchange(i32, (at + At.reason) >> 2, 0, stored) !== 0) freeText(stored)
    }
    if (!markCancelled(at)) return
    this.#reason = reason
    this.#heed()
  }

  /** @throws the reason, if it was cancelled. */
  throwIfCancelled(): void {
    if (!this.#goesOn()) throw this.#whyCancelled()
  }

  /**
   * Shows the state now, then whenever it has changed since, some ten times a second at most, then the
   * last state, and ends: when it is done, when it is cancelled, or by `signal`.
   *
   * Any thread may watch. Leaving the loop leaves nothing behind.
   *
   * @example
   * for await (const { value, max, timeLeft } of progress.watch()) draw(value / max, timeLeft)
   */
  watch(options: WatchOptions = {}): AsyncIterableIterator<ProgressSnapshot> {
    checkInterval(options.interval)
    return this.#watch(options)
  }

  /** Generators hold what they use: the progress stays for as long as somebody watches. */
  async *#watch(options: WatchOptions): AsyncGenerator<ProgressSnapshot, void, undefined> {
    yield* watchBlock(this.#at, this.signal, options)
  }

  /**
   * Calls `listener` as `watch` would go round. What it throws is reported as uncaught.
   *
   * @returns a function that ends it; it is disposable as well.
   * @throws TypeError for what is no function.
   */
  onChange(listener: (now: ProgressSnapshot) => void, options: WatchOptions = {}): (() => void) & Disposable {
    if (typeof listener !== 'function')
      throw new TypeError('onChange takes a function, which is called with snapshots.')
    checkInterval(options.interval)
    const ending = new AbortController()
    const signal = options.signal ? AbortSignal.any([options.signal, ending.signal]) : ending.signal
    const call = async () => {
      for await (const now of this.watch({ ...options, signal })) {
        try {
          listener(now)
        } catch (error) {
          queueMicrotask(() => {
            throw error
          })
        }
      }
    }
    void call()
    const stop = () => ending.abort()
    return Object.assign(stop, { [Symbol.dispose]: stop })
  }

  /** How far a reported value is, in parts of 2³⁰. */
  #farAt(value: number, count: number, total: number): number {
    const at = this.#at
    const min = readMin(at)
    const range = readMax(at) - min
    // A part too small for a value of its own goes by its items.
    if (range === 0) return total > 0 ? position(at, count) : 0
    const offset = Math.floor(Math.max(0, Math.min(range, value - min)))
    if (offset === range) return total > 0 && count < total ? FAR : WHOLE
    const far = Math.ceil((offset / range) * WHOLE)
    return (range * far) / WHOLE < offset ? far + 1 : far
  }

  #goesOn(): boolean {
    if (!isCancelled(this.#at)) return true
    this.#heed()
    return false
  }

  /** Aborts this thread's signal, if it has one, now that it is known to be due. */
  #heed(): void {
    if (this.#parent) this.#parent.#heed()
    if (this.#controller && readMark(this.#at) < 0) this.#controller.abort(this.#whyCancelled())
  }

  /** The reason of the nearest progress, this one or above, that was cancelled. */
  #whyCancelled(): unknown {
    if (readMark(this.#at) >= 0 && this.#parent) return this.#parent.#whyCancelled()
    if (this.#reason === undefined) {
      const told = Atomics.load(i32, (this.#at + At.reason) >> 2)
      this.#reason = told === 0 ? defaultReason(this.label) : unpackReason(loadText(told))
    }
    return this.#reason
  }

  /** Waits for the end, for the signal's sake; what is waited for doesn't keep the thread alive. */
  async #listen(): Promise<void> {
    const ended = this.#at + At.ended
    while (Atomics.load(i32, ended >> 2) === 0) await waitAsync(ended, 0, Infinity, { hold: false })
    this.#heed()
  }

  /** How a progress crosses: as itself. */
  static {
    Object.defineProperty(Progress.prototype, MARSHALER, {
      value: {
        kind: 'progress',
        model: 'free',
        marshal(progress, { table }) {
          addHolder(progress.#at)
          noteSent(progress.#at)
          return [progress.#at, !table]
        },
        unmarshal: ([at, counted]) => handleOf(at, counted, attach),
        release: ([at]) => dropHolder(at),
      } satisfies Marshaler<Progress, ProgressBody>,
    })
    registerMarshaler((Progress.prototype as unknown as { [MARSHALER]: Marshaler })[MARSHALER])
  }
}

/** The block, and whether a holder comes with it (a table packet keeps its own). */
type ProgressBody = [at: number, counted: boolean]

function attach(attachment: Attachment): Progress {
  return new Progress(attachment as ProgressOptions)
}

function wholeTotal(total: number): number {
  return total === Infinity ? 0 : items(total, 'total')
}

function checkLimits(min: number, max: number): void {
  const whole = Number.isInteger(min) && Number.isInteger(max)
  if (whole && min >= LOWEST && max <= HIGHEST && min <= max && max - min <= WIDEST) return
  throw new RangeError(`Limits are whole numbers of 32 bits, in order and at most 2³⁰ apart; not ${min} and ${max}.`)
}

function start(at: number, min: number, max: number, total: number, flags: number): void {
  i32[(at + At.min) >> 2] = min
  i32[(at + At.max) >> 2] = max
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
