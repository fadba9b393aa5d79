import { FlatshareError } from '@flatshare/core'

/** A promise given by synchronous code is work that goes on after the lock was released. */
export function refusePromise(result: object, member: string): void {
  if (typeof (result as { then?: unknown }).then !== 'function') return
  Promise.resolve(result).catch(() => {})
  if (member.endsWith('locked()')) {
    throw new FlatshareError(
      `The function of ${member} gave a promise: its locks would end before its work. Use lockedAsync.`,
    )
  }
  throw new FlatshareError(
    `${member} gave a promise but is no async function: its lock would end before its work. ` +
      'Declare it async (and compile to ES2017 or later, so that it stays async), or mark it @Unlocked().',
  )
}
