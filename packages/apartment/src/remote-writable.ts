/**
 * A writable stream of another thread, as this one writes to it, by calls of one function of the home thread:
 *
 *   WRITE chunks   answered when the original has taken them
 *   CLOSE, ABORT   as their names say; answered when the original has
 *   WATCH fn       `fn` is told when the original fails by itself
 *
 * A chunk goes at once while no WRITE is underway. Else a copy of it waits, and what waits goes together once all that
 * is underway is answered. One that must not wait (see `snapshot.ts`) goes at once all the same, alone, behind what
 * waited: should it be unable to cross, nothing else is lost with it. When WINDOW chunks wait or went ahead so, `write`
 * waits.
 *
 * Invariants: each chunk arrives as it was when it was written, in order; CLOSE and the ABORT after a failure go when
 * every WRITE is answered, so that the first failure is the one that is told, and what was written before it arrives.
 */
import { DisconnectedError } from '@flatshare/core'
import { isProxy, referenceOf, release } from './proxy.js'
import { snapshot } from './snapshot.js'

export const WRITE = 0
export const CLOSE = 1
export const ABORT = 2
const WATCH = 3
const WINDOW = 16

export type Sink = (what: number, x?: unknown) => Promise<void>

/**
 * Lets a stream fail. It is kept by others than the stream, so it must keep nothing of that: a stream that is dropped
 * is to be collected.
 */
function failing(controller: WritableStreamDefaultController): (reason: unknown) => void {
  const weak = new WeakRef(controller)
  return (reason) => weak.deref()?.error(reason)
}

function failingWhenGone(fail: (reason: unknown) => void): () => void {
  return () => fail(new DisconnectedError('The thread to which the stream writes has ended.'))
}

/** How to stop watching the home of a stream that is collected. */
const watches = new FinalizationRegistry<() => void>((stop) => stop())

class RemoteSink implements UnderlyingSink<unknown> {
  readonly #sink: Sink
  #waiting: unknown[] = []
  /** WRITEs that aren't answered. */
  #underway = 0
  /** Chunks of those that went although another was underway. */
  #ahead = 0
  #failure: { readonly reason: unknown } | undefined
  #over = false
  #room: (() => void) | undefined
  #answered: (() => void) | undefined
  #stop = () => {}

  constructor(sink: Sink) {
    this.#sink = sink
  }

  start(controller: WritableStreamDefaultController): void {
    const fail = failing(controller)
    this.#stop = referenceOf(this.#sink)?.peer?.onGone(failingWhenGone(fail)) ?? this.#stop
    watches.register(controller, this.#stop)
    this.#sink(WATCH, fail).catch(fail)
  }

  write(chunk: unknown, controller: WritableStreamDefaultController): Promise<void> | undefined {
    const kept = this.#underway > 0 ? snapshot(chunk) : undefined
    if (kept) this.#waiting.push(kept.value)
    else {
      this.#flush(controller)
      this.#send([chunk], controller)
    }
    if (this.#hasRoom) return undefined
    return new Promise((resolve) => {
      this.#room = resolve
    })
  }

  async close(): Promise<void> {
    if (this.#underway > 0) {
      await new Promise<void>((resolve) => {
        this.#answered = resolve
      })
    }
    if (this.#failure) throw this.#failure.reason
    await this.#end(CLOSE)
  }

  abort(reason: unknown): Promise<void> {
    this.#waiting = []
    return this.#end(ABORT, reason)
  }

  get #hasRoom(): boolean {
    return this.#failure !== undefined || this.#waiting.length + this.#ahead < WINDOW
  }

  #flush(controller: WritableStreamDefaultController): void {
    if (this.#waiting.length > 0) this.#send(this.#waiting.splice(0), controller)
  }

  #send(chunks: readonly unknown[], controller: WritableStreamDefaultController): void {
    const ahead = this.#underway > 0 ? chunks.length : 0
    this.#underway++
    this.#ahead += ahead
    const answered = () => {
      this.#underway--
      this.#ahead -= ahead
      if (this.#underway === 0) this.#proceed(controller)
      if (this.#hasRoom) this.#room?.()
    }
    this.#sink(WRITE, chunks).then(answered, (reason: unknown) => {
      this.#failure ??= { reason }
      this.#waiting = []
      controller.error(reason)
      answered()
    })
  }

  /** Every WRITE is answered. */
  #proceed(controller: WritableStreamDefaultController): void {
    this.#flush(controller)
    if (this.#underway > 0) return
    this.#answered?.()
    // The original may not know: it was the chunk that couldn't cross.
    if (this.#failure && !this.#over) this.#end(ABORT, this.#failure.reason).catch(() => {})
  }

  async #end(what: typeof CLOSE | typeof ABORT, reason?: unknown): Promise<void> {
    this.#over = true
    try {
      await this.#sink(what, reason)
    } finally {
      this.#stop()
      if (isProxy(this.#sink)) release(this.#sink)
    }
  }
}

export function writableFrom(sink: Sink): WritableStream {
  return new WritableStream(new RemoteSink(sink))
}
