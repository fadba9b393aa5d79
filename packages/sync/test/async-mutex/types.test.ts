/** The types of `@flatshare/sync/async-mutex` are those of `async-mutex`. */
import * as ours from '@flatshare/sync/async-mutex'
import * as theirs from 'async-mutex'
import { describe, expect, expectTypeOf, test } from 'vitest'

describe('the types of async-mutex', () => {
  test('the interfaces are the same, with what is nested in them', () => {
    expectTypeOf<ours.MutexInterface>().toEqualTypeOf<theirs.MutexInterface>()
    expectTypeOf<ours.MutexInterface.Releaser>().toEqualTypeOf<theirs.MutexInterface.Releaser>()
    expectTypeOf<ours.MutexInterface.Worker<string>>().toEqualTypeOf<theirs.MutexInterface.Worker<string>>()
    expectTypeOf<ours.SemaphoreInterface>().toEqualTypeOf<theirs.SemaphoreInterface>()
    expectTypeOf<ours.SemaphoreInterface.Releaser>().toEqualTypeOf<theirs.SemaphoreInterface.Releaser>()
    expectTypeOf<ours.SemaphoreInterface.Worker<string>>().toEqualTypeOf<theirs.SemaphoreInterface.Worker<string>>()
  })

  test('the classes have the same members, and are made alike', () => {
    expectTypeOf<Pick<ours.Mutex, keyof ours.Mutex>>().toEqualTypeOf<Pick<theirs.Mutex, keyof theirs.Mutex>>()
    expectTypeOf<Pick<ours.Semaphore, keyof ours.Semaphore>>().toEqualTypeOf<
      Pick<theirs.Semaphore, keyof theirs.Semaphore>
    >()
    expectTypeOf<ConstructorParameters<typeof ours.Mutex>>().toEqualTypeOf<ConstructorParameters<typeof theirs.Mutex>>()
    expectTypeOf<ConstructorParameters<typeof ours.Semaphore>>().toEqualTypeOf<
      ConstructorParameters<typeof theirs.Semaphore>
    >()
  })

  test('each takes what the other makes', () => {
    expectTypeOf<ours.Mutex>().toExtend<theirs.MutexInterface>()
    expectTypeOf<theirs.Mutex>().toExtend<ours.MutexInterface>()
    expectTypeOf<ours.Semaphore>().toExtend<theirs.SemaphoreInterface>()
    expectTypeOf<theirs.Semaphore>().toExtend<ours.SemaphoreInterface>()
  })

  test('the functions have the same overloads, and the errors are errors', () => {
    expectTypeOf(ours.withTimeout).toEqualTypeOf<typeof theirs.withTimeout>()
    expectTypeOf(ours.tryAcquire).toEqualTypeOf<typeof theirs.tryAcquire>()
    expectTypeOf(ours.withTimeout(new ours.Mutex(), 5)).toEqualTypeOf<ours.MutexInterface>()
    expectTypeOf(ours.withTimeout(new ours.Semaphore(1), 5)).toEqualTypeOf<ours.SemaphoreInterface>()
    expectTypeOf(ours.E_TIMEOUT).toEqualTypeOf(theirs.E_TIMEOUT)
    expectTypeOf(ours.E_CANCELED).toEqualTypeOf(theirs.E_CANCELED)
    expectTypeOf(ours.E_ALREADY_LOCKED).toEqualTypeOf(theirs.E_ALREADY_LOCKED)
  })

  test('nothing is missing, and nothing is more', () => {
    expect(Object.keys(ours).sort()).toEqual(Object.keys(theirs).sort())
  })
})
