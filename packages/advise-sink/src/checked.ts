/** Options, checked at once. */
import { FlatshareError } from '@flatshare/core'
import { checkedTimeout } from '@flatshare/core/internal'
import type { AdviseOptions, QueueOptions, RaiseAndWaitOptions } from './notification.js'

export const LIMIT = 65_536

const POLICIES: readonly unknown[] = ['drop-oldest', 'coalesce', 'block']

function checkNames(what: string, options: unknown, names: readonly string[]): void {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`The options of ${what} are an object: { ${names.join(', ')} }; this is ${String(options)}.`)
  }
  const unknown = Object.keys(options).find((name) => !names.includes(name))
  if (unknown !== undefined)
    throw new TypeError(`There is no option "${unknown}" of ${what}: it has ${names.join(', ')}.`)
}

const isFunction = (x: unknown): boolean => x === undefined || typeof x === 'function'

/**
 * @throws TypeError for options that there are not.
 * @throws RangeError for a limit that is no whole number from 1, and for a policy that there is not.
 * @throws the reason of a signal that has aborted.
 */
export function checkAdviseOptions(options: AdviseOptions): void {
  checkNames('advise', options, ['target', 'queue', 'signal', 'onError'])
  const { queue, signal, onError } = options
  if (queue !== undefined) checkQueue(queue)
  if (!isFunction(onError)) throw new TypeError('onError is a function, which is called with what the sink threw.')
  checkSignal(signal)
}

function checkQueue(queue: QueueOptions): void {
  checkNames('a queue', queue, ['limit', 'policy', 'key'])
  const { limit = LIMIT, policy = 'drop-oldest', key } = queue
  if (!POLICIES.includes(policy)) {
    throw new RangeError(`The policy of a queue is one of ${POLICIES.join(', ')}; this one is ${String(policy)}.`)
  }
  if (!Number.isInteger(limit) || limit < 1) {
    throw new RangeError(`The limit of a queue is a whole number from 1, not ${String(limit)}.`)
  }
  if (!isFunction(key)) throw new TypeError('The key of a queue is a function of a notification.')
  if (key !== undefined && policy !== 'coalesce') {
    throw new TypeError(`A key is for the policy 'coalesce', and this queue's is '${policy}'.`)
  }
}

function checkSignal(signal: AbortSignal | undefined): void {
  if (signal === undefined) return
  if (!(signal instanceof AbortSignal)) throw new TypeError('signal is not an AbortSignal.')
  signal.throwIfAborted()
}

/**
 * How long to wait.
 *
 * @throws RangeError for a timeout that is none; TypeError and the signal's reason as above.
 */
export function checkedWaiting({ timeout = 30_000, signal }: RaiseAndWaitOptions): number {
  checkSignal(signal)
  return checkedTimeout(timeout, 'timeout')
}

/** The events of a mask. @throws FlatshareError for one that the source doesn't raise, and for none. */
export function checkedMask(mask: unknown, known: ReadonlySet<string>): ReadonlySet<string> {
  const wanted: unknown[] = Array.isArray(mask) ? mask : [mask]
  if (wanted.length === 0) throw new FlatshareError(`advise was given no event; there are ${listed(known)}.`)
  if (wanted.includes('*')) return known
  for (const event of wanted) checkEvent(event, known)
  return new Set(wanted as string[])
}

/** @throws FlatshareError for an event that the source doesn't raise. */
export function checkEvent(event: unknown, known: ReadonlySet<string>): void {
  if (!known.has(event as string)) {
    throw new FlatshareError(`This source doesn't raise "${String(event)}"; there are ${listed(known)}.`)
  }
}

const listed = (known: ReadonlySet<string>): string => [...known].join(', ') || 'none'
