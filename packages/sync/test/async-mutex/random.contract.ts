/**
 * Random programs, run with a lock of the library and with one of `async-mutex`: what they see, down to the
 * turn of the microtask queue in which each promise settles, must be the same.
 */

import type { MutexInterface, SemaphoreInterface } from 'async-mutex'
import * as oracle from 'async-mutex'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Events, Gate, thenable } from './events.js'
import type { Library } from './library.js'

/** A step of a program. Weights are left out for a mutex. */
type Step =
  | { do: 'acquire' | 'wait'; weight: number; priority: number }
  | { do: 'run'; weight: number; priority: number; how: 'value' | 'throws' | 'rejects' | 'gate' | 'thenable' }
  | { do: 'release'; weight: number }
  | { do: 'call releaser' | 'open gate'; which: number }
  | { do: 'set'; value: number }
  | { do: 'cancel' }
  | { do: 'turns'; count: number }
  | { do: 'pass time'; ms: number }

// Whole numbers only: with others, async-mutex tells nobody who waits for it to be unlocked.
const weight = fc.oneof(
  { weight: 20, arbitrary: fc.integer({ min: 1, max: 4 }) },
  { weight: 1, arbitrary: fc.constantFrom(0, -1, Number.NaN) },
)
const priority = fc.oneof(
  { weight: 20, arbitrary: fc.integer({ min: -2, max: 2 }) },
  { weight: 1, arbitrary: fc.constantFrom(0.5, Infinity, -Infinity, Number.NaN) },
)
const how = fc.constantFrom('value', 'throws', 'rejects', 'gate', 'thenable')
const which = fc.nat({ max: 20 })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('acquire'), weight, priority }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait'), weight, priority }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('run'), weight, priority, how }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('release'), weight }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('call releaser'), which }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('open gate'), which }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('set'), value: fc.integer({ min: -3, max: 6 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel') }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('turns'), count: fc.integer({ min: 1, max: 8 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('pass time'), ms: fc.integer({ min: 0, max: 60 }) }) },
) as fc.Arbitrary<Step>
const program = fc.array(step, { minLength: 1, maxLength: 40 })

/** Runs a program and gives all that it saw. */
async function run(lock: MutexInterface | SemaphoreInterface, steps: readonly Step[]): Promise<unknown[]> {
  const semaphore = 'setValue' in lock && weighted(lock) ? lock : undefined
  const mutex = lock as MutexInterface
  const events = new Events()
  const releasers: (() => void)[] = []
  const gates: Gate<string>[] = []
  const seen: unknown[] = []

  const settled = (name: string, promise: Promise<unknown>) => {
    promise.then(
      (result) => {
        if (typeof result === 'function') releasers.push(result as () => void)
        else if (Array.isArray(result)) releasers.push(result[1])
        events.note(`${name} → ${Array.isArray(result) ? result[0] : typeof result === 'function' ? 'held' : result}`)
      },
      (error: Error) => events.note(`${name}! ${error.message}`),
    )
  }

  const callback = (name: string, how: string) => (value?: number) => {
    events.note(`${name} runs with ${value}`)
    if (how === 'throws') throw new Error('thrown')
    if (how === 'rejects') return Promise.reject(new Error('rejected'))
    if (how === 'thenable') return thenable('from thenable')
    if (how === 'value') return 'value'
    const gate = new Gate<string>()
    gates.push(gate)
    return gate.passed
  }

  const take = async (step: Step, name: string): Promise<void> => {
    switch (step.do) {
      case 'acquire':
        return settled(name, semaphore ? semaphore.acquire(step.weight, step.priority) : mutex.acquire(step.priority))
      case 'wait':
        return settled(
          name,
          semaphore ? semaphore.waitForUnlock(step.weight, step.priority) : mutex.waitForUnlock(step.priority),
        )
      case 'run':
        return settled(
          name,
          semaphore
            ? semaphore.runExclusive<string>(callback(name, step.how), step.weight, step.priority)
            : mutex.runExclusive<string>(callback(name, step.how), step.priority),
        )
      case 'release':
        return semaphore ? semaphore.release(step.weight) : mutex.release()
      case 'call releaser':
        return releasers[step.which % releasers.length]?.()
      case 'open gate':
        return gates[step.which % gates.length]?.open('from gate')
      case 'set':
        return semaphore?.setValue(step.value)
      case 'cancel':
        return lock.cancel()
      case 'turns':
        return await events.run(step.count)
      case 'pass time':
        return void vi.advanceTimersByTime(step.ms)
    }
  }

  for (const [i, step] of steps.entries()) {
    let threw = ''
    // Only the turns are waited for: whatever else is done must show what it does at once.
    const taken = take(step, `${i} ${step.do}`).catch((error: Error) => (threw = error.message))
    if (step.do === 'turns') await taken
    seen.push([step.do, semaphore?.getValue(), lock.isLocked(), ...events.takeTimed()])
    taken.then(() => threw && seen.push(`${i} threw ${threw}`)).catch(() => {})
  }
  await events.run()
  seen.push([semaphore?.getValue(), lock.isLocked(), ...events.takeTimed()])
  return seen
}

const mutexes = new WeakSet<object>()
const weighted = (lock: object) => !mutexes.has(lock)

export function randomContract(library: Library, runs: number): void {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  type Make = (library: Library, value: number) => MutexInterface | SemaphoreInterface
  const kinds: Record<string, Make> = {
    Mutex: ({ Mutex }) => new Mutex(),
    Semaphore: ({ Semaphore }, value) => new Semaphore(value),
    'withTimeout(Mutex)': ({ withTimeout, Mutex }) => withTimeout(new Mutex(), 50),
    'withTimeout(Semaphore)': ({ withTimeout, Semaphore }, value) => withTimeout(new Semaphore(value), 50),
    'tryAcquire(Semaphore)': ({ tryAcquire, Semaphore }, value) => tryAcquire(new Semaphore(value)),
  }

  describe('random programs', () => {
    for (const [kind, make] of Object.entries(kinds)) {
      test(`see a ${kind} as they would with async-mutex`, async () => {
        const value = fc.integer({ min: -1, max: 5 })
        await fc.assert(
          fc.asyncProperty(value, program, async (value, steps) => {
            const both = [make(library, value), make(oracle, value)] as const
            if (kind.includes('Mutex')) for (const lock of both) mutexes.add(lock)
            vi.clearAllTimers()
            const [ours, theirs] = [await run(both[0], steps), await run(both[1], steps)]
            expect(ours).toEqual(theirs)
          }),
          { numRuns: runs },
        )
      })
    }
  })
}
