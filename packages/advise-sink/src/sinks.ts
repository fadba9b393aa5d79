/** What a sink is, and the wrapper that ties one to a thread. */
import type { AdviseSink, AdviseSinkOrFunction } from './notification.js'

class ThisThreadSink implements AdviseSink {
  readonly #sink: Exclude<AdviseSinkOrFunction, URL>

  constructor(sink: Exclude<AdviseSinkOrFunction, URL>) {
    this.#sink = sink
  }

  onNotify(batch: readonly any[]): unknown {
    const sink = this.#sink
    return typeof sink === 'function' ? sink(batch) : sink.onNotify(batch)
  }

  onUnadvised(): unknown {
    return typeof this.#sink === 'function' ? undefined : this.#sink.onUnadvised?.()
  }
}

const wrapped = new WeakMap<object, AdviseSink>()

/**
 * Wraps a sink so that it runs on this thread, from its event loop, whichever thread raises the event and wherever
 * notifications go. A plain sink does so anyway; a free-threaded one would run on the thread for notifications.
 *
 * The same sink gives the same wrapper.
 *
 * @throws TypeError for what is neither a function nor has a method `onNotify`.
 * @example
 * await store.advise('objectCreated', thisThreadAdviseSink({ onNotify: (batch) => list.add(...batch) }))
 */
export function thisThreadAdviseSink<N = any>(sink: AdviseSink<N> | ((batch: readonly N[]) => unknown)): AdviseSink<N> {
  requireSink(sink)
  if (sink instanceof URL) {
    throw new TypeError(
      'thisThreadAdviseSink takes a function or an object; a module is loaded where notifications go.',
    )
  }
  let wrapper = wrapped.get(sink)
  if (!wrapper) {
    wrapper = new ThisThreadSink(sink)
    wrapped.set(sink, wrapper)
  }
  return wrapper
}

/** Whether it can be notified. */
export function isSink(sink: unknown): sink is AdviseSinkOrFunction {
  if (typeof sink === 'function') return true
  if (typeof sink !== 'object' || sink === null) return false
  if (sink instanceof URL) return sink.hash.length > 1
  return typeof (sink as Partial<AdviseSink>).onNotify === 'function'
}

/** @throws TypeError for anything that can't be notified. */
export function requireSink(sink: unknown): asserts sink is AdviseSinkOrFunction {
  if (isSink(sink)) return
  if (sink instanceof URL) {
    throw new TypeError(
      `${sink.href} names no sink: add its export, as in new URL('./sink.js#onNotify', import.meta.url).`,
    )
  }
  throw new TypeError(
    'A sink is a function or an object with a method onNotify. One of a class crosses from another thread only ' +
      'if that thread has imported @flatshare/advise-sink.',
  )
}
