/**
 * `AbortSignal`s cross live: the one that arrives fires when the original does, and it is the same one
 * each time on that thread.
 *
 * What crosses is a function of the original's thread that takes a listener. The arrived signal is kept
 * by its listener, the listener by the original: it lasts as long as the original can fire.
 */
import { type MarshalContext, type Marshaler, registerMarshaler } from '@flatshare/core/internal'
import { referenceOf, release } from './proxy.js'

interface Body {
  readonly reason?: unknown
  /** Of the original, where it hasn't fired. */
  readonly subscribe?: unknown
}

type Subscribe = (listener: (reason: unknown) => unknown) => unknown

const subscribers = new WeakMap<AbortSignal, Subscribe>()
const originals = new WeakMap<object, AbortSignal>()
const arrived = new Map<string, WeakRef<AbortSignal>>()
const collected = new FinalizationRegistry<string>((key) => {
  if (arrived.get(key)?.deref() === undefined) arrived.delete(key)
})

function subscriberOf(signal: AbortSignal): Subscribe {
  let subscribe = subscribers.get(signal)
  if (!subscribe) {
    subscribe = (listener) => {
      const tell = () => {
        // Its thread may have ended.
        Promise.resolve(listener(signal.reason)).catch(() => {})
      }
      if (signal.aborted) tell()
      else signal.addEventListener('abort', tell, { once: true })
    }
    subscribers.set(signal, subscribe)
    originals.set(subscribe, signal)
  }
  return subscribe
}

const abortSignalMarshaler: Marshaler<AbortSignal, Body> = {
  kind: 'abort-signal',
  model: undefined,
  claim: (x) => x instanceof AbortSignal,
  marshal: (signal: AbortSignal, context: MarshalContext): Body =>
    signal.aborted ? { reason: context.pack(signal.reason) } : { subscribe: context.pack(subscriberOf(signal)) },
  unmarshal({ reason, subscribe }) {
    if (subscribe === undefined) return AbortSignal.abort(reason)
    const original = originals.get(subscribe as object)
    if (original) return original
    const reference = referenceOf(subscribe)
    const key = reference ? `${reference.home}:${reference.id}` : undefined
    const known = key === undefined ? undefined : arrived.get(key)?.deref()
    if (known) return known
    const controller = new AbortController()
    const listening = (subscribe as Subscribe)((why) => controller.abort(why))
    // If the original's thread has ended, it never fires.
    void Promise.resolve(listening)
      .catch(() => {})
      .then(() => reference && release(subscribe as object))
    if (key !== undefined) {
      arrived.set(key, new WeakRef(controller.signal))
      collected.register(controller.signal, key)
    }
    return controller.signal
  },
}

registerMarshaler(abortSignalMarshaler)
