/**
 * `@flatshare/progress/terminal`: draws progress as bars, by `cli-progress`. Where there is no terminal
 * it writes nothing, and doesn't even load the library.
 */
import { type Terminal, terminal } from '@flatshare/core/internal'
import type { MultiBar, SingleBar } from 'cli-progress'
import type { Progress, ProgressSnapshot } from './index.js'

/** How to draw. */
export interface DrawOptions {
  /** Where to draw: the standard error unless given. */
  stream?: Terminal
  /** The library's format, with `{label}`, `{items}` and `{left}` (the time) beside its own words. */
  format?: string
  /** Milliseconds between two looks: 100 unless given. */
  interval?: number
}

/** Bars that are being drawn. */
export interface Drawing extends Disposable, AsyncDisposable {
  /** Resolves when the last state has been drawn and the terminal is as it was. */
  readonly finished: Promise<void>
  /** Leaves the bars as they are. */
  stop(): void
}

const FORMAT = '{label} {bar} {percentage}% {items} {left}'
/** What the library pads and measures widths with. */
const BAR = { barsize: 30, barCompleteChar: '\u2588', barIncompleteChar: '\u2591' }

/**
 * Draws a progress, or several one above the other, until all have ended: done or cancelled.
 *
 * It doesn't keep the process alive by itself.
 *
 * @example
 * const progress = new Progress({ total: files.length, label: 'Indexing' })
 * await using drawing = drawProgress(progress)
 */
export function drawProgress(progress: Progress | readonly Progress[], options: DrawOptions = {}): Drawing {
  const all = Array.isArray(progress) ? (progress as readonly Progress[]) : [progress as Progress]
  const stream = options.stream ?? terminal()
  const stopping = new AbortController()
  const finished = stream?.isTTY && all.length > 0 ? draw(all, stream, options, stopping.signal) : Promise.resolve()
  const stop = () => stopping.abort()
  return {
    finished,
    stop,
    [Symbol.dispose]: stop,
    [Symbol.asyncDispose]() {
      // Whoever leaves the scope has ended what was drawn, or wants no more of it.
      stop()
      return finished
    },
  }
}

async function draw(
  all: readonly Progress[],
  stream: Terminal,
  { format = FORMAT, interval }: DrawOptions,
  signal: AbortSignal,
): Promise<void> {
  const library = (await import('cli-progress')).default
  const settings = { ...BAR, format, stream: stream as NodeJS.WritableStream }
  const bars = all.length === 1 ? quiet(new library.SingleBar(settings)) : quiet(new library.MultiBar(settings))
  const drawOne = async (progress: Progress) => {
    let bar: SingleBar | undefined
    const show = (now: ProgressSnapshot) => {
      const range = now.max - now.min || 1
      const value = now.done ? range : now.value - now.min
      if (bar) bar.update(value, words(now))
      else bar = begin(bars, range, value, words(now))
    }
    for await (const now of progress.watch({ ...(interval === undefined ? {} : { interval }), signal })) show(now)
    // Stopped between two looks: what has happened since is drawn too.
    if (signal.aborted) for await (const now of progress.watch()) return show(now)
  }
  await Promise.all(all.map(drawOne))
  bars.stop()
}

function begin(bars: SingleBar | MultiBar, range: number, value: number, payload: object): SingleBar {
  if ('create' in bars) return bars.create(range, value, payload)
  bars.start(range, value, payload)
  return bars
}

/**
 * Lets the process end while the library waits for its next redraw, and keeps it from going back at the end to
 * where the cursor was at the start: lines that were printed meanwhile would be overwritten.
 */
function quiet<Bars extends SingleBar | MultiBar>(bars: Bars): Bars {
  const cursor = (bars as unknown as { terminal: Record<'cursorSave' | 'cursorRestore', () => void> }).terminal
  cursor.cursorSave = cursor.cursorRestore = () => {}
  const unref = () => (bars as { timer?: { unref?(): void } | null }).timer?.unref?.()
  const redraw = 'create' in bars ? 'update' : 'render'
  const original = (bars as any)[redraw] as (...args: unknown[]) => unknown
  ;(bars as any)[redraw] = function (this: unknown, ...args: unknown[]) {
    const result = original.apply(this, args)
    unref()
    return result
  }
  return bars
}

function words({ label, count, total, timeLeft, cancelled, done }: ProgressSnapshot): object {
  const items = total > 0 ? `${count.toLocaleString()}/${total.toLocaleString()}` : count.toLocaleString()
  const left = cancelled ? 'cancelled' : done || timeLeft === undefined ? '' : `${duration(timeLeft)} left`
  return { label, items, left }
}

function duration(milliseconds: number): string {
  const seconds = Math.ceil(milliseconds / 1000)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  return minutes < 60 ? `${minutes} min ${seconds % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}
