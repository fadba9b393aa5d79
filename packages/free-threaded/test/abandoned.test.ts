import { AbandonedError } from '@flatshare/core'
import { nonBlocking, snapshot } from '@flatshare/free-threaded'
import { describe, expect, test } from 'vitest'
import { Pair } from './range.js'
import { startThread } from './thread.js'

async function abandonedPair(job = 'dieSetting'): Promise<Pair> {
  const pair = new Pair()
  pair.set(4)
  const { order, ended } = startThread('./threads/range.js')
  order(job, pair)
  await ended
  expect(snapshot(pair)).toMatchObject({ first: 4, second: 4, mended: 0 })
  return pair
}

describe('onAbandoned', () => {
  test.each(['dieSetting', 'dieSettingAsync'])('after %s mends the object, and the call goes on', async (job) => {
    const pair = await abandonedPair(job)
    expect([pair.check(), pair.mended]).toEqual([5, 1])
    expect(snapshot(pair)).toMatchObject({ first: 5, second: 5, mended: 1 })
    await startThread('./threads/range.js')
      .run('isFine', pair)
      .catch(() => {})
    expect([pair.check(), pair.mended]).toEqual([5, 1])
  })

  test.each([
    ['a read', (pair: Pair) => pair.read(), 0],
    ['an optimistic read', (pair: Pair) => pair.readOptimistically(), 0],
    ['an async call', (pair: Pair) => nonBlocking(pair).check(), 5],
    ['an async read', (pair: Pair) => nonBlocking(pair).read(), 0],
  ])('before %s', async (_, call, result) => {
    const pair = await abandonedPair()
    expect(await call(pair)).toBe(result)
    expect(pair.mended).toBe(1)
  })

  test('that throws: the call is told, with the reason, and it is called again', async () => {
    const pair = await abandonedPair()
    const { order, ended } = startThread('./threads/range.js')
    expect([pair.check(), pair.mended]).toEqual([5, 1])
    pair.unwilling = true
    order('dieSetting', pair)
    await ended
    for (let i = 0; i < 2; i++) {
      const error = (() => {
        try {
          return pair.check()
        } catch (error) {
          return error
        }
      })()
      expect(error).toBeInstanceOf(AbandonedError)
      expect(error).toMatchObject({
        cause: expect.any(RangeError),
        message: expect.stringMatching(/Pair\.check.*onAbandoned/),
      })
      expect(pair.mended).toBe(1)
    }
    await expect(nonBlocking(pair).check()).rejects.toThrow(AbandonedError)
  })
})
