import workerThreads from 'node:worker_threads'
import { ApartmentThreaded } from '@flatshare/apartment'
import { marshal, unmarshal } from '@flatshare/core'
import { describe, expect, it } from 'vitest'

@ApartmentThreaded({ name: 'Counter' })
class Counter {
  count = 1
}

const canMark = 'markAsUncloneable' in workerThreads

describe('a raw postMessage or structuredClone of a decorated object', () => {
  it.runIf(canMark)('is refused once the object has been handed over properly, where the runtime can', () => {
    const counter = new Counter()
    const [packet] = marshal(counter)
    expect(() => structuredClone(counter)).toThrow(DOMException)
    expect(() => structuredClone({ deep: [counter] })).toThrow(DOMException)
    expect(unmarshal(packet)).toBe(counter)
    expect(counter.count).toBe(1)
  })

  it('leaves the proper way alone', () => {
    const counter = new Counter()
    marshal(counter)[0][Symbol.dispose]()
    expect(unmarshal(marshal({ deep: [counter] })[0])).toEqual({ deep: [counter] })
  })
})
