/** What the contract's tests are written with. */
import type { Lock, LockManager, LockRequestOptions } from '@flatshare/sync'
import { expect, test } from 'vitest'

let names = 0

/** A name that no other test uses. */
export const newName = () => `contract ${++names}`

/** A turn of the event loop. */
export const turn = () => new Promise((resolve) => setImmediate(resolve))

export function deferred<T = void>() {
  let resolve!: (value: T | PromiseLike<T>) => void
  let reject!: (reason: unknown) => void
  const promise = new Promise<T>((...both) => ([resolve, reject] = both))
  return { promise, resolve, reject }
}

/** Equals a DOMException of this name. */
export const dom = (name: string) => expect.objectContaining({ name, constructor: DOMException })
export const notSupported = dom('NotSupportedError')
export const aborted = dom('AbortError')

/** A callback. */
export const neverCalled = () => {
  throw new Error('This callback must not run.')
}

export type Kit = ReturnType<typeof kitFor>

/** `deviations` are titles of tests that `locks` is known to fail. */
export function kitFor(locks: LockManager, deviations: readonly string[]) {
  const unused = new Set(deviations)

  function check(title: string, run: () => Promise<void>): void {
    if (unused.delete(title)) test.skip(title, run)
    else test(title, run)
  }

  /** Requests and, once granted, holds until released. */
  function hold(name: string, options: LockRequestOptions = {}) {
    const granted = deferred<Lock | null>()
    const gate = deferred<string>()
    const done = locks.request(name, options, (lock) => {
      granted.resolve(lock)
      return gate.promise
    })
    done.catch(granted.reject)
    granted.promise.catch(() => {})
    return { granted: granted.promise, done, release: (value = 'released') => gate.resolve(value), fail: gate.reject }
  }

  /** Whether the lock can be had at once. */
  const isFree = (name: string, mode: Lock['mode'] = 'exclusive') =>
    locks.request(name, { ifAvailable: true, mode }, (lock) => lock !== null)

  /** The modes of those who hold a lock, and of those who wait for it. */
  async function modes(name: string) {
    const { held, pending } = await locks.query()
    const of = (list: typeof held) => list.filter((info) => info.name === name).map((info) => info.mode)
    return { held: of(held), pending: of(pending) }
  }

  return {
    locks,
    /** `locks.request`, for arguments that its types refuse. */
    request: locks.request.bind(locks) as (...args: unknown[]) => Promise<unknown>,
    check,
    unused,
    hold,
    isFree,
    modes,
  }
}
