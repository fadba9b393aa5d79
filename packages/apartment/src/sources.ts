/** What else than workers `Apartment.open` can open: packages above plug in how. */

import type { OpenOptions } from './apartment-options.js'
import type { ApartmentThread } from './apartment-thread.js'

/** What a package above makes, for `Apartment.open`. */
export interface OtherSource {
  /** What it is, for errors and inspection. */
  readonly opens: string
}

/** A process that a function has started, as Node's `ChildProcess` is one. */
export interface StartedProcess {
  readonly pid?: number | undefined
  kill(signal?: any): boolean
}

/** How to open sources of one kind. */
export interface SourceKind<S> {
  /** Whether it takes this: an object given to `Apartment.open`, or what a function given to it has given. */
  test(source: unknown): source is S
  /** Runs a function that was given to `Apartment.open`: what it starts may have to find something prepared. */
  around?<T>(start: () => T): T
  /** Starts and connects; what it throws is what `Apartment.open` rejects with. */
  open(source: S, options: OpenOptions): Promise<ApartmentThread>
}

const kinds: SourceKind<any>[] = []

/** Plugs in another kind of sources, for this thread. */
export function registerSource<S>(kind: SourceKind<S>): void {
  kinds.push(kind)
}

/** Runs a function that starts something. */
export function startAround<T>(start: () => T): T {
  let run = start
  for (const { around } of kinds) {
    const inner = run
    if (around) run = () => around(inner)
  }
  return run()
}

/** How to open it; undefined where no package takes it. */
export function kindOfSource(source: unknown): SourceKind<unknown> | undefined {
  return kinds.find((kind) => kind.test(source))
}

/**
 * Refuses a promise that a function has given instead of what it starts; what that brings later is ended, as nobody else
 * would.
 *
 * @throws TypeError
 */
export function refusePromise(given: unknown): void {
  if (typeof (given as PromiseLike<unknown> | null)?.then !== 'function') return
  ;(given as PromiseLike<unknown>).then(
    (started) => {
      if (isProcess(started)) started.kill('SIGKILL')
      else void (started as { terminate?(): unknown } | null)?.terminate?.()
    },
    () => {},
  )
  throw new TypeError(
    'The function gave a promise: it must give the worker or the process itself. Await what it needs before, and start ' +
      'it in a function that is not async.',
  )
}

/** Whether it looks like a process, which this package alone can't talk to. */
export function isProcess(source: unknown): source is StartedProcess {
  return typeof (source as StartedProcess | null)?.kill === 'function' && 'pid' in (source as object)
}
