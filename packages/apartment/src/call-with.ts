import { type CallSettings, checkedSettings } from './call-settings.js'
import { referenceOf, viewWith } from './proxy.js'

/**
 * A proxy whose calls get no answer: each gives a promise of nothing, and one that blocks gives nothing. Getters, whose
 * value is an answer, are missing.
 */
export type OneWay<T> = 0 extends 1 & T
  ? any
  : (T extends (...args: any) => any ? OneWayMethod<T> : unknown) & {
      readonly [K in keyof T as T[K] extends (...args: any) => any ? K : never]: K extends symbol
        ? T[K]
        : OneWayMethod<T[K]>
    }

type OneWayMethod<F> = F extends (...args: infer A) => infer R
  ? (...args: A) => R extends PromiseLike<any> | AsyncIterable<any> ? Promise<void> : void
  : never

/**
 * The same proxy, whose calls carry a signal, a deadline or both, or get no answer.
 *
 * When signal or deadline fires, the caller is freed at once (with the signal's reason, or a `TimeoutError`), a result
 * that comes later is dropped, and the callee sees `currentCall().signal` fire, in a busy loop too; a call that still
 * waits its turn doesn't run. Both hold for the iteration of what a call gave, too: the loop rejects, and the generator
 * ends at home. A deadline passes on to the calls that the callee makes. `onAbort: 'terminate'` ends the thread of a
 * callee that doesn't listen. Given a proxy that has settings, those that are given here replace its own.
 *
 * @param settings `signal`; `timeout` and `graceTime` in milliseconds; `onAbort`; `reply`; `downgrade`. See `CallSettings`.
 * @throws TypeError for anything but a proxy, for a setting that is none, and for `onAbort: 'terminate'` on a thread
 * that this one has neither opened nor attached to.
 * @throws RangeError for a timeout that is no number from 0.
 * @example
 * await callWith(mailbox, { timeout: 500 }).count()
 * await callWith(mailbox, { signal, onAbort: 'terminate' }).index()
 * await callWith(log, { reply: false }).write('started')
 */
export function callWith<T extends object>(proxy: T, settings: CallSettings & { readonly reply: false }): OneWay<T>
export function callWith<T extends object>(proxy: T, settings: CallSettings & { readonly reply?: true | undefined }): T
export function callWith<T extends object>(proxy: T, settings: CallSettings): T | OneWay<T>
export function callWith(proxy: object, settings: CallSettings): object {
  const checked = checkedSettings(settings)
  const reference = referenceOf(proxy)
  if (reference && checked.onAbort === 'terminate' && !reference.isOfOwnThread) {
    throw new TypeError(
      `onAbort: 'terminate' ends the thread "${reference.origin?.name ?? reference.homeName}", and only the thread that has opened it, or ` +
        'attached to it, may do that.',
    )
  }
  return viewWith(proxy, checked)
}
