import { describe, expect, it } from 'vitest'
import { RecentLists } from '../dist/recent-lists.js'

/** So many batches are remembered. */
const REMEMBERED = 8

/** Each batch in turn comes so often; says how many lists were made of it. */
function comes(lists: RecentLists<object>, number: number, times: number): number {
  const made = new Set<object>()
  for (let i = 0; i < times; i++) made.add(lists.get(number, () => [{ number }])[0]!)
  return made.size
}

describe('Lists of batches that come for several sinks', () => {
  it('are made once each, as soon as one has come more than once', () => {
    const lists = new RecentLists<object>()
    expect(comes(lists, 1, 5)).toBe(5)
    for (let number = 2; number <= 3 * REMEMBERED; number++) expect(comes(lists, number, 5)).toBe(1)
  })

  it('have the same events whatever the order in which they come', () => {
    const lists = new RecentLists<object>()
    comes(lists, 0, 3)
    for (let first = 1; first < 50; first += 4) {
      const made: object[] = []
      const make = () => {
        made.push({})
        return [made.at(-1)!]
      }
      for (let sink = 0; sink < 3; sink++)
        for (let i = 0; i < 4; i++) expect(lists.get(first + i, make)[0]).toBe(made[i])
      expect(made).toHaveLength(4)
    }
  })

  it("are each sink's own", () => {
    const lists = new RecentLists<object>()
    comes(lists, 1, 3)
    const [first, second, third] = [2, 2, 2].map((number) => lists.get(number, () => [{ number }, { more: number }]))
    first!.length = 0
    expect(second).toEqual([{ number: 2 }, { more: 2 }])
    second!.reverse()
    expect(third).toEqual([{ number: 2 }, { more: 2 }])
  })

  it('are made for others too where they are kept for any, and for one alone where not', () => {
    const lists = new RecentLists<object>()
    const told: boolean[] = []
    const make = (shared: boolean) => {
      told.push(shared)
      return [{}]
    }
    for (let times = 0; times < 2; times++) lists.get(1, make)
    const [event] = lists.get(2, make)
    expect(told).toEqual([false, false, true])
    expect(lists.get(2, make)[0]).toBe(event)
    lists.get(2, make)
    expect(told).toEqual([false, false, true, false])
  })

  it('are kept for nobody where each comes once, until one comes again', () => {
    const lists = new RecentLists<object>()
    for (let number = 1; number <= 2 * REMEMBERED; number++) comes(lists, number, 1)
    expect(comes(lists, 100, 2)).toBe(2)
    expect(comes(lists, 101, 2)).toBe(1)
    expect(comes(lists, 102, 3)).toBe(2)
    for (let number = 103; number < 120; number++) expect(comes(lists, number, 3)).toBe(1)
  })

  it('are let go of when they have come as often as those before', () => {
    const lists = new RecentLists<object>()
    for (let number = 1; number <= 2 * REMEMBERED; number++) comes(lists, number, 2)
    const [event] = lists.get(100, () => [{}])
    expect(lists.get(100, () => [{}])[0]).toBe(event)
    expect(lists.get(100, () => [{}])[0]).not.toBe(event)
  })
})
