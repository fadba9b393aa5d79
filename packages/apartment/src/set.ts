import type { Given, Same } from './crossing-types.js'
import { callBy, requireProxy } from './proxy-state.js'
import type { RemoteHandle, Unreachable } from './remote.js'

type IsWritable<T, K extends keyof T> = Same<{ [P in K]: T[P] }, { -readonly [P in K]: T[P] }>

/** What of a class may have a setter: all that isn't read-only. (The compiler can't tell more.) */
export type SettableName<T> = unknown extends T
  ? string
  : { [K in Exclude<keyof T, Unreachable | symbol>]: IsWritable<T, K> extends true ? K : never }[Exclude<
      keyof T,
      Unreachable | symbol
    >]

/**
 * Calls a setter of an object of another thread: what `object[name] = value` does at home. It is a call like any other:
 * it has its turn, an end, and errors; therefore it is a function, and an assignment to a proxy throws.
 *
 * Only accessors of the class, or of a plain object, can be set; fields can't be reached. Settings of `callWith` count.
 *
 * @returns a promise that resolves when the setter has run, and rejects with what it throws.
 * @throws TypeError for anything but a proxy, at once.
 * @example
 * await set(mailbox, 'title', 'Archive')
 */
export function set<T, K extends SettableName<T>>(
  proxy: RemoteHandle<T>,
  name: K,
  value: K extends keyof T ? Given<T[K]> : unknown,
): Promise<void> {
  const state = requireProxy(proxy, 'set')
  if (typeof name !== 'string') throw new TypeError('set takes the name of a property as its second argument.')
  return (async () => void (await callBy(proxy, state, 'set', name, [value])))()
}
