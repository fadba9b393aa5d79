/** What a call waits for before it can be sent, within the call's own limits. */
import { abortReason, currentCall, holdOpen, startDeadline, timeoutError } from '@flatshare/core/internal'
import type { CallSettings } from './call-settings.js'
import { watchSignal } from './signal-watch.js'

/** What came of the wait, and what is left of the call's settings. */
export interface Waited<T> {
  readonly value: T
  readonly settings: CallSettings | undefined
}

/**
 * Waits for what `begin` resolves with, no longer than the call may take. Meanwhile this thread goes on.
 *
 * @param begin gives how to stop waiting, where there is anything to stop.
 * @throws TimeoutError, and the signal's reason.
 */
export function waitWithin<T>(
  what: string,
  settings: CallSettings | undefined,
  begin: (resolve: (value: T) => void, reject: (error: unknown) => void) => (() => void) | void,
): Promise<Waited<T>> {
  const { signal, timeout } = settings ?? {}
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(abortReason(signal) as Error)
      return
    }
    const own = timeout === undefined ? Number.POSITIVE_INFINITY : Date.now() + timeout
    const deadline = Math.min(own, currentCall()?.deadline ?? Number.POSITIVE_INFINITY)
    let stop: (() => void) | void
    const letGo = holdOpen()
    const end = () => {
      letGo()
      stopTimer()
      unwatch?.()
    }
    const giveUp = (reason: unknown) => {
      end()
      stop?.()
      reject(reason as Error)
    }
    const stopTimer = startDeadline(deadline, () =>
      giveUp(timeoutError(`${what}: the call could not be sent in time.`)),
    )
    const unwatch = signal && watchSignal(signal, () => giveUp(abortReason(signal)))
    stop = begin(
      (value) => {
        end()
        const rest = timeout === undefined ? settings : { ...settings, timeout: Math.max(0, own - Date.now()) }
        resolve({ value, settings: rest })
      },
      (error) => {
        end()
        reject(error as Error)
      },
    )
  })
}
