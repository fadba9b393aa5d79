import { callingThread, causality, currentCall, currentThread } from '@flatshare/core'
import { currentFrame, holdsInFrame, makerOf, newCallId, runInFrame, trackAcrossAwait } from '@flatshare/core/internal'
import { describe, expect, it } from 'vitest'

const { signal } = new AbortController()

describe('S16a the running call', () => {
  it('is none outside of one, and the calling thread is then this one', () => {
    expect(currentCall()).toBeUndefined()
    expect(causality()).toEqual([])
    expect(callingThread()).toBe(currentThread.id)
  })

  it('is known during synchronous code, also when that throws', () => {
    const call = { caller: 42, path: [newCallId()], signal, deadline: undefined }
    expect(() =>
      runInFrame({ parent: undefined, call }, () => {
        expect(currentCall()).toBe(call)
        expect(callingThread()).toBe(42)
        throw new Error('x')
      }),
    ).toThrow('x')
    expect(currentCall()).toBeUndefined()
  })

  it('ends at the first await before tracking, and follows await with it', async () => {
    const call = { caller: 1, path: [newCallId()], signal, deadline: undefined }
    const serve = () =>
      runInFrame({ parent: currentFrame(), call }, async () => {
        const before = currentCall()
        await Promise.resolve()
        return [before, currentCall()]
      })
    expect(await serve()).toEqual([call, undefined])
    trackAcrossAwait()
    expect(await serve()).toEqual([call, call])
    expect(currentCall()).toBeUndefined()
  })

  it('keeps interleaved calls apart, and nested frames together', async () => {
    const [a, b] = [1, 2].map((caller) => ({ caller, path: [newCallId()], signal, deadline: undefined }))
    const lock = {}
    const serve = (call: typeof a, holds?: object) =>
      runInFrame({ parent: currentFrame(), call }, async () => {
        await Promise.resolve()
        return runInFrame({ parent: currentFrame(), holds }, async () => {
          await Promise.resolve()
          return [currentCall(), holdsInFrame(lock)]
        })
      })
    expect(await Promise.all([serve(a, lock), serve(b)])).toEqual([
      [a, true],
      [b, false],
    ])
  })

  it('has ids that differ', () => {
    expect(new Set(Array.from({ length: 1000 }, newCallId)).size).toBe(1000)
    const many = Array.from({ length: 100_000 }, newCallId)
    expect(new Set(many).size).toBe(100_000)
    expect(many.every(Number.isSafeInteger)).toBe(true)
    expect(new Set(many.map(makerOf))).toEqual(new Set([currentThread.id]))
  })
})
