import { describe, expect, it } from 'vitest'
import { checkedRestart, type RestartOptions, RestartPolicy } from '../dist/restart-policy.js'

const failed = { pid: 1, code: 1, signal: null }
const killed = { pid: 1, code: null, signal: 'SIGKILL' }
const well = { pid: 1, code: 0, signal: null }

function policyOf(options: RestartOptions) {
  let now = 0
  const policy = new RestartPolicy(checkedRestart(options), () => now)
  return { policy, at: (time: number) => (now = time) }
}

describe('a restart policy', () => {
  it('starts again after the ends that it names', () => {
    const after = (policy: RestartOptions['policy']) =>
      [failed, killed, well].map((exit) => policyOf({ policy }).policy.next(exit) !== undefined)
    expect(after('never')).toEqual([false, false, false])
    expect(after('on-failure')).toEqual([true, true, false])
    expect(after('always')).toEqual([true, true, true])
  })

  it('waits ever longer, up to half a minute', () => {
    const { policy } = policyOf({ policy: 'always', maxRestarts: 12, backoff: 100 })
    const pauses = Array.from({ length: 12 }, () => policy.next(failed))
    expect(pauses).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000, 30_000])
  })

  it('gives up after so many within its time, and forgets those before', () => {
    const { policy, at } = policyOf({ policy: 'on-failure', maxRestarts: 2, within: 1000, backoff: 10 })
    expect(policy.next(failed)).toBe(10)
    at(500)
    expect(policy.next(failed)).toBe(20)
    at(999)
    expect(policy.next(failed)).toBeUndefined()
    at(1000)
    expect(policy.next(failed)).toBe(20)
    at(3000)
    expect(policy.next(failed)).toBe(10)
    expect(policy.restarts).toBe(4)
  })

  it('is checked', () => {
    expect(() => checkedRestart({ policy: 'always', maxRestarts: -1 })).toThrow(RangeError)
    expect(() => checkedRestart({ policy: 'always', backoff: Number.NaN })).toThrow(RangeError)
    expect(() => checkedRestart({ policy: 'always', onRestart: 3 as never })).toThrow(TypeError)
    expect(() => checkedRestart(null as never)).toThrow(TypeError)
    expect(checkedRestart({ policy: 'always', maxRestarts: Number.POSITIVE_INFINITY }).maxRestarts).toBe(
      Number.POSITIVE_INFINITY,
    )
  })
})
