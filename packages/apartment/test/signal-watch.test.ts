import { expect, it } from 'vitest'
import { watchSignal } from '../dist/signal-watch.js'

it('S14 calls that one signal gives up are given up the latest first, but for those that settle meanwhile', () => {
  const giving = new AbortController()
  const heard: number[] = []
  const unwatch = [1, 2, 3, 4].map((call) =>
    watchSignal(giving.signal, () => {
      heard.push(call)
      if (call === 3) unwatch[1]!()
    }),
  )
  unwatch[3]!()
  giving.abort()
  expect(heard).toEqual([3, 1])
})
