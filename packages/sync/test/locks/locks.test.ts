import { type Lock, type LockManagerSnapshot, locks } from '@flatshare/sync'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { locksContract } from './contract.js'

locksContract('locks', locks)

/** Where Node 24's own departs from the specification. */
const nodesDeviations = [
  // An undefined callback makes the options the callback.
  'with three arguments, the third is the callback',
  // The signal is looked at first.
  'what is not supported is refused before an aborted signal is looked at',
  // `request` looks at no `this`.
  'a LockManager serves as `this` only if it is one',
  // A lock that is free is granted inside of `request`, by a call of the callback.
  'runs later, never inside of request',
  'runs later where the lock is not available, too',
  // Only native promises hold the lock.
  'a thenable is awaited, and holds the lock until it settles',
  'a thenable that rejects, or that has no then to give, rejects; the lock is released',
  // It stays locked for ever.
  'what it throws is what the request rejects with; the lock is released',
  // Each grant calls back inside of the one before: the stack overflows.
  'a thousand requests wait and are served',
  // An aborted request stays in the queue until it would be granted.
  'aborted while waiting: rejects with its reason, and waits no longer',
  'an aborted request lets those behind it through',
]

const native = (globalThis.navigator as Partial<Navigator> | undefined)?.locks
if (native) locksContract('navigator.locks', native as typeof locks, nodesDeviations)

describe('locks, beyond the specification', () => {
  test('an abort that another listener keeps from the request is seen when the lock is granted', async () => {
    const controller = new AbortController()
    controller.signal.addEventListener('abort', (event) => event.stopImmediatePropagation())
    const pending = locks.request('stopped', { signal: controller.signal }, () => {
      throw new Error('This callback must not run.')
    })
    controller.abort('my reason')
    await expect(pending).rejects.toBe('my reason')
    await expect(locks.request('stopped', () => 'free')).resolves.toBe('free')
  })

  test('the types are those of the DOM library, and know that a lock is null only with ifAvailable', () => {
    expectTypeOf(locks).toExtend<Navigator['locks']>()
    const typesOnly = () => {
      void locks.request('name', (lock) => expectTypeOf(lock).toEqualTypeOf<Lock>())
      void locks.request('name', { mode: 'shared' }, (lock) => expectTypeOf(lock).toEqualTypeOf<Lock>())
      void locks.request('name', { ifAvailable: true }, (lock) => expectTypeOf(lock).toEqualTypeOf<Lock | null>())
      expectTypeOf(locks.request('name', async () => 5)).toEqualTypeOf<Promise<number>>()
      expectTypeOf(locks.query()).toEqualTypeOf<Promise<LockManagerSnapshot>>()
      // @ts-expect-error: there are two modes
      void locks.request('name', { mode: 'other' }, () => {})
    }
    expectTypeOf(typesOnly).toBeFunction()
  })
})
