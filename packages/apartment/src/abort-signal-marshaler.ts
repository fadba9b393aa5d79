/** `AbortSignal`s cross live: the one that arrives fires when the original does. */
import { type Marshaler, registerMarshaler } from '@flatshare/core/internal'

interface Body {
  readonly aborted: boolean
  readonly reason?: unknown
  /** Of the original: calls back with its reason. */
  readonly subscribe?: unknown
}

type Subscribe = (listener: (reason: unknown) => void) => unknown

const subscribers = new WeakMap<AbortSignal, Subscribe>()

function subscriberOf(signal: AbortSignal): Subscribe {
  let subscribe = subscribers.get(signal)
  if (!subscribe) {
    // Must not close over the signal's other holders: it lives as long as somebody holds a reference to it.
    subscribe = (listener) => {
      const tell = () => void Promise.resolve(listener(signal.reason)).catch(() => {})
      if (signal.aborted) tell()
      else signal.addEventListener('abort', tell, { once: true })
    }
    subscribers.set(signal, subscribe)
  }
  return subscribe
}

const marshaler: Marshaler<AbortSignal, Body> = {
  kind: 'abort-signal',
  model: undefined,
  claim: (x) => x instanceof AbortSignal,
  marshal: (signal, context) =>
    signal.aborted
      ? { aborted: true, reason: context.pack(signal.reason) }
      : { aborted: false, subscribe: context.pack(subscriberOf(signal)) },
  unmarshal({ aborted, reason, subscribe }) {
    const controller = new AbortController()
    if (aborted) controller.abort(reason)
    // The thread of the original may have ended: then it never fires.
    else (subscribe as Subscribe)((why) => controller.abort(why)) as Promise<void> | undefined
    return controller.signal
  },
}

registerMarshaler(marshaler)
