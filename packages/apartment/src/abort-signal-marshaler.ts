/**
 * `AbortSignal`s cross live: the one that arrives fires when the original does, and it is the same one
 * each time on that thread; one that comes home is the original.
 *
 * What crosses is the signal's number at home and a function of its thread that takes a listener. The arrived signal
 * is kept by its listener, the listener by the original: it lasts as long as the original can fire. The original is
 * kept by nothing that other threads hold, or the two would keep each other for ever. The original has one listener
 * of its own for all that listen from afar; those of threads that have ended are forgotten when another comes.
 */
import {
  foreignHome,
  type MarshalContext,
  type Marshaler,
  ownThreadId,
  processName,
  registerMarshaler,
  type ThreadId,
} from '@flatshare/core/internal'
import { referenceOf, release } from './proxy.js'

interface Body {
  readonly reason?: unknown
  /** Of the original, where it hasn't fired. */
  readonly home?: ThreadId | string
  readonly number?: number
  readonly subscribe?: unknown
}

type Listener = (reason: unknown) => unknown
type Subscribe = (listener: Listener) => void

interface Known {
  /** A thread of this process; or of another, as process and thread. */
  readonly home: ThreadId | string
  readonly number: number
}

/** Where each signal is at home, whether that is here or not. */
const known = new WeakMap<AbortSignal, Known>()
const subscribers = new WeakMap<AbortSignal, Subscribe>()
const signals = new Map<string, WeakRef<AbortSignal>>()
const collected = new FinalizationRegistry<string>((key) => {
  if (signals.get(key)?.deref() === undefined) signals.delete(key)
})
let lastNumber = 0

const keyOf = ({ home, number }: Known) => `${home}:${number}`

function note(signal: AbortSignal, at: Known): void {
  known.set(signal, at)
  signals.set(keyOf(at), new WeakRef(signal))
  collected.register(signal, keyOf(at))
}

function knownAt(signal: AbortSignal): Known {
  let at = known.get(signal)
  if (!at) note(signal, (at = { home: ownThreadId(), number: ++lastNumber }))
  return at
}

function tell(listener: Listener, reason: unknown): void {
  // Its thread may have ended.
  Promise.resolve(listener(reason)).catch(() => {})
}

function subscriberOf(signal: AbortSignal): Subscribe {
  let subscribe = subscribers.get(signal)
  if (subscribe) return subscribe
  const listeners = new Set<Listener>()
  let listening = false
  const fired = () => {
    for (const listener of listeners) tell(listener, signal.reason)
    listeners.clear()
  }
  subscribe = (listener) => {
    if (signal.aborted) return tell(listener, signal.reason)
    for (const other of listeners) if (referenceOf(other)?.peer?.gone) listeners.delete(other)
    if (!listening) signal.addEventListener('abort', fired, { once: true })
    listening = true
    listeners.add(listener)
  }
  Object.defineProperty(subscribe, 'name', { value: 'AbortSignal' })
  subscribers.set(signal, subscribe)
  return subscribe
}

/** The home of a signal, as every process knows it. */
const everywhere = (home: ThreadId | string) => (typeof home === 'string' ? home : `${processName()}/${home}`)

/** The same, as this process knows it. */
function here(home: string): ThreadId | string {
  const [process, thread] = home.split('/')
  return process === processName() ? Number(thread) : home
}

function receive({ reason, home, number, subscribe }: Body): AbortSignal {
  if (home === undefined || number === undefined) return AbortSignal.abort(reason)
  const at = { home, number }
  const found = signals.get(keyOf(at))?.deref()
  if (found) {
    if (referenceOf(subscribe)) release(subscribe as object)
    return found
  }
  const controller = new AbortController()
  note(controller.signal, at)
  // Without a way to the original, which is gone then, it never fires; nor if the original's thread has ended.
  if (typeof subscribe === 'function') {
    const listening = Promise.resolve((subscribe as (listener: Listener) => unknown)((why) => controller.abort(why)))
    void listening.catch(() => {}).then(() => referenceOf(subscribe) && release(subscribe))
  }
  return controller.signal
}

/** To and from threads apart: threads are named with their processes. */
const apart: Marshaler<AbortSignal, Body> = {
  kind: 'abort-signal apart',
  model: undefined,
  apart: 'same',
  marshal(signal, context) {
    if (signal.aborted) return { reason: context.pack(signal.reason) }
    const { home: known, number } = knownAt(signal)
    const home = everywhere(known)
    const to = context.to === undefined ? undefined : foreignHome(context.to)
    if (to && home === `${to.process}/${to.thread}`) return { home, number }
    return { home, number, subscribe: context.pack(subscriberOf(signal)) }
  },
  unmarshal: ({ home, ...body }) => receive(typeof home === 'string' ? { ...body, home: here(home) } : body),
}

const abortSignalMarshaler: Marshaler<AbortSignal, Body> = {
  kind: 'abort-signal',
  model: undefined,
  apart,
  claimClass: (x) => x instanceof AbortSignal,
  marshal(signal: AbortSignal, context: MarshalContext): Body {
    if (signal.aborted) return { reason: context.pack(signal.reason) }
    const at = knownAt(signal)
    // At its home it is known; to any other thread it goes by this one.
    return at.home === context.to ? at : { ...at, subscribe: context.pack(subscriberOf(signal)) }
  },
  unmarshal: receive,
}
registerMarshaler(apart)

registerMarshaler(abortSignalMarshaler)
