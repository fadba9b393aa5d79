/**
 * Free-threaded objects, locks and shared containers that arrive as mere proxies, because the receiver shares no memory
 * with this process: who wants to know hears of each, on the thread that sent it, just before it is sent.
 */
import { type DiagnosticsChannel, diagnosticsChannel } from '#platform'
import { DowngradeError } from './errors.js'
import { modelRecord } from './models.js'

/** A free-threaded object that goes to another process as a proxy: its calls come back here, and queue for this thread. */
export interface Downgrade {
  /** The class of the object. */
  readonly className: string
  /** The call that carries it, as an argument or as its result: `Bank.transfer()`. */
  readonly call: string
  /** The keys that lead to it in the list of arguments, or in the result: `0.accounts.7`; '' for the result itself. */
  readonly place: string
  /** The thread that it goes to, and the process in which that runs. */
  readonly to: { readonly process: string; readonly pid: number | undefined; readonly thread: string }
}

/** The name of the channel in `node:diagnostics_channel`. */
const CHANNEL = 'flatshare:downgrade'

const listeners = new Set<(downgrade: Downgrade) => void>()
let channel: DiagnosticsChannel | undefined

/**
 * Calls `listener` whenever a free-threaded object of this thread goes to another process, where it arrives as a proxy
 * with the semantics of an apartment-threaded object: each use of it is a call back to this thread. The channel
 * `flatshare:downgrade` of `node:diagnostics_channel` is told the same.
 *
 * It is called while the message is packed: what it throws keeps the message from being sent, and is what the call
 * rejects with.
 *
 * @returns a function that ends it; it is disposable as well.
 * @throws TypeError for what is no function.
 * @example
 * using watching = onDowngrade(({ className, call }) => console.warn(`${call}: ${className} is called from afar`))
 */
export function onDowngrade(listener: (downgrade: Downgrade) => void): (() => void) & Disposable {
  if (typeof listener !== 'function') {
    throw new TypeError('onDowngrade takes a function, which is called with the class, the call and the place.')
  }
  const entry = (downgrade: Downgrade) => listener(downgrade)
  listeners.add(entry)
  const stop = () => void listeners.delete(entry)
  return Object.assign(stop, { [Symbol.dispose]: stop })
}

/** What is to be known of a call that carries such an object. */
export interface CarryingCall {
  readonly label: string
  /** The call is not to be made then. */
  readonly refuses: boolean
  readonly to: Downgrade['to']
}

/**
 * Notes that a free-threaded object goes as a proxy.
 *
 * @throws DowngradeError where the class or the call refuses that.
 */
export function noteDowngrade(x: object, place: readonly string[], memoryOnly: boolean, call: CarryingCall): void {
  const { label, refuses, to } = call
  const className = modelRecord(x.constructor)?.name ?? x.constructor.name
  const downgrade: Downgrade = Object.freeze({ className, call: label, place: place.join('.'), to })
  if (memoryOnly || refuses) {
    const at = place.length > 0 ? ` at ${downgrade.place}` : ''
    const why = memoryOnly ? `the class says crossing: 'memory-only'` : `the call says downgrade: 'refuse'`
    throw new DowngradeError(
      `${label}: the ${className}${at} would arrive as a mere proxy in the process ${to.pid ?? to.process}, which shares ` +
        `no memory with this one, and ${why}. Nothing was sent. Use it from threads of this process, or send what is in it.`,
    )
  }
  for (const listener of listeners) listener(downgrade)
  channel ??= diagnosticsChannel(CHANNEL)
  if (channel?.hasSubscribers) channel.publish(downgrade)
}
