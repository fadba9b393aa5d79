/** A promise for what an asynchronous waiter is granted. */
import { abortReason, checkedTimeout, startTimer } from '@flatshare/core/internal'
import { waiting } from './engine.js'
import type { WaitNode } from './wait-queue.js'

/** How long to wait without blocking. */
export interface AwaitOptions {
  /** Milliseconds to wait at most; without it, for ever. 0 doesn't wait. */
  timeout?: number | undefined
  /** Gives up when it aborts; the promise rejects with its reason. */
  signal?: AbortSignal | undefined
}

/** @throws what the promise of a wait with these options rejects with at once. */
export function checkAwaitOptions(options: AwaitOptions): void {
  if (typeof options !== 'object' || options === null) throw noOptions(options)
  const { timeout, signal } = options
  if (timeout !== undefined) checkedTimeout(timeout, 'A timeout')
  if (signal === undefined) return
  if (!(signal instanceof AbortSignal)) throw new TypeError('signal is not an AbortSignal.')
  if (signal.aborted) throw abortReason(signal)
}

/**
 * The timeout of a blocking form; undefined where none was given.
 *
 * @throws TypeError for what isn't `{ timeout }`: a blocked thread can't hear of a signal.
 * @throws RangeError for a timeout that is none.
 */
export function blockingTimeout(options: Pick<AwaitOptions, 'timeout'> | undefined): number | undefined {
  if (options === undefined) return undefined
  if (typeof options !== 'object' || options === null) throw noOptions(options)
  if ((options as AwaitOptions).signal !== undefined) {
    throw new TypeError('A thread that blocks hears of no signal: give a timeout, or use the form that awaits.')
  }
  return options.timeout === undefined ? undefined : checkedTimeout(options.timeout, 'A timeout')
}

function noOptions(options: unknown): TypeError {
  return new TypeError(`The options are an object such as { timeout: 100 }, not ${String(options)}.`)
}

/** What is waited for. */
export interface Awaited<R> extends AwaitOptions {
  /** Queues a waiter, who may be granted at once. */
  enqueue(waiter: { granted(result: R): void }): WaitNode
  /** The error after `timeout` milliseconds. */
  timedOut(timeout: number): Error
}

/**
 * Waits for a grant. Who gives up, by `signal` or `timeout`, leaves no trace and takes nobody's turn; one
 * who was granted in the same moment has it.
 */
export function awaitGrant<R>(wait: Awaited<R>): Promise<R> {
  return new Promise((resolve, reject) => {
    checkAwaitOptions(wait)
    const { timeout = Infinity, signal } = wait
    let stopTimer: (() => void) | undefined
    let granted = false
    let node = 0
    const settle = () => {
      stopTimer?.()
      signal?.removeEventListener('abort', onAbort)
    }
    const giveUp = (reason: () => unknown) => {
      if (!waiting.withdraw(node)) return
      settle()
      reject(reason() as Error)
    }
    const onAbort = () => giveUp(() => abortReason(signal!))
    node = wait.enqueue({
      granted(result) {
        granted = true
        settle()
        resolve(result)
      },
    })
    if (granted) return
    try {
      signal?.addEventListener('abort', onAbort)
      if (timeout === 0) giveUp(() => wait.timedOut(timeout))
      else if (timeout !== Infinity) stopTimer = startTimer(timeout, () => giveUp(() => wait.timedOut(timeout)))
    } catch (error) {
      // No stack is left for them: nobody hears of what this waiter would be granted.
      waiting.withdraw(node)
      throw error
    }
  })
}
