/**
 * Watching: no report wakes anybody. A watcher looks again at its interval, and is woken by the end and
 * by a cancel only.
 *
 * While it looks, it holds its thread's event loop open, unless no other thread is left or to come that could
 * report: what this thread itself still has to do holds the loop anyway. So a watcher whose reporters
 * have all died doesn't keep the process from ending.
 */
import { waitAsync, wakeWaiters } from '@flatshare/core/internal'
import { mayHearFromOthers } from './block.js'
import { readDouble } from './counter.js'
import { At } from './layout.js'
import { checkNames } from './options.js'
import { Pace, type ProgressSnapshot, readSnapshot } from './snapshot.js'

/** How to watch. */
export interface WatchOptions {
  /**
   * Milliseconds between two looks: 100 unless given, and at least 1, so that whatever else the thread has to do gets
   * its turn. The end isn't delayed by it.
   */
  interval?: number
  /** Ends the watching, without an error. */
  signal?: AbortSignal
}

const INTERVAL = 100
/** A wait of less would be over without a turn of the event loop, from which reports of this thread may come. */
const SHORTEST = 1

const WATCHING = ['interval', 'signal']

/**
 * @throws TypeError for options that there are not.
 * @throws RangeError for an interval that is no time: a wait would take it for ever.
 */
export function checkWatching(options: WatchOptions, of: string, names: readonly string[] = WATCHING): void {
  checkNames(options, of, names)
  const { interval } = options
  if (interval === undefined || (typeof interval === 'number' && interval >= 0)) return
  throw new RangeError(`interval is a number of milliseconds, 0 or more; this one is ${String(interval)}.`)
}

/** @param cancelled aborts when the progress, or one above it, is cancelled. */
export async function* watchBlock(
  at: number,
  cancelled: AbortSignal,
  { interval = INTERVAL, signal }: WatchOptions,
): AsyncGenerator<ProgressSnapshot, void, undefined> {
  const pace = new Pace(readDouble(at + At.made))
  let last: ProgressSnapshot | undefined
  while (!signal?.aborted) {
    const now = readSnapshot(at)
    const ended = now.done || now.cancelled
    if (ended || !last || differs(now, last)) {
      last = now
      yield pace.measure(now)
    }
    if (ended) return
    await pause(at, interval, [cancelled, signal])
  }
}

function differs(a: ProgressSnapshot, b: ProgressSnapshot): boolean {
  return a.value !== b.value || a.count !== b.count || a.total !== b.total || a.max !== b.max || a.min !== b.min
}

async function pause(at: number, interval: number, signals: Array<AbortSignal | undefined>): Promise<void> {
  if (signals.some((signal) => signal?.aborted)) return
  const wake = () => wakeWaiters(at + At.ended)
  for (const signal of signals) signal?.addEventListener('abort', wake)
  try {
    await waitAsync(at + At.ended, 0, Math.max(interval, SHORTEST), { hold: mayHearFromOthers(at) })
  } finally {
    for (const signal of signals) signal?.removeEventListener('abort', wake)
  }
}

/** As `watch`, for a listener. */
export function onChange(
  progress: { watch(options: WatchOptions): AsyncIterable<ProgressSnapshot> },
  listener: (now: ProgressSnapshot) => void,
  options: WatchOptions,
): (() => void) & Disposable {
  if (typeof listener !== 'function') throw new TypeError('onChange takes a function, which is called with snapshots.')
  checkWatching(options, 'onChange')
  const ending = new AbortController()
  const signal = options.signal ? AbortSignal.any([options.signal, ending.signal]) : ending.signal
  const call = async () => {
    for await (const now of progress.watch({ ...options, signal })) {
      // It may have been stopped while the snapshot was on its way here.
      if (signal.aborted) return
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
