/**
 * Where a sink runs.
 *
 * An object with a method `onNotify` crosses by reference, as if it were apartment-threaded, unless its
 * class says otherwise: so a sink runs on the thread that made it, without a word.
 */
import { crossByReference } from '@flatshare/core/internal'
import type { AdviseSink, AdviseSinkOrFunction } from './notification.js'

crossByReference((x) => typeof (x as Partial<AdviseSink>).onNotify === 'function')

class ThisThreadSink implements AdviseSink {
  readonly #sink: AdviseSinkOrFunction

  constructor(sink: AdviseSinkOrFunction) {
    this.#sink = sink
  }

  onNotify(batch: readonly any[]): unknown {
    const sink = this.#sink
    return typeof sink === 'function' ? sink(batch) : sink.onNotify(batch)
  }
}

const wrapped = new WeakMap<AdviseSinkOrFunction, AdviseSink>()

/**
 * Wraps a sink so that it runs on this thread, from its event loop, whichever thread raises the event. A
 * plain sink does so anyway; a free-threaded one would run on the thread of the source.
 *
 * The same sink gives the same wrapper.
 *
 * @throws TypeError for what is neither a function nor has a method `onNotify`.
 * @example
 * await store.advise('objectCreated', thisThreadAdviseSink({ onNotify: (batch) => list.add(...batch) }))
 */
export function thisThreadAdviseSink<N = any>(sink: AdviseSinkOrFunction<N>): AdviseSink<N> {
  requireSink(sink)
  let wrapper = wrapped.get(sink)
  if (!wrapper) {
    wrapper = new ThisThreadSink(sink)
    wrapped.set(sink, wrapper)
  }
  return wrapper
}

/** @throws TypeError for anything that can't be notified. */
export function requireSink(sink: unknown): asserts sink is AdviseSinkOrFunction {
  if (typeof sink === 'function') return
  if (typeof sink === 'object' && sink !== null && typeof (sink as Partial<AdviseSink>).onNotify === 'function') return
  throw new TypeError(
    'A sink is a function or an object with a method onNotify. One of a class crosses from another thread only ' +
      'if that thread has imported @flatshare/advise-sink.',
  )
}
