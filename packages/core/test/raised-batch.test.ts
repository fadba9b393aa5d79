import { marshal, unmarshal } from '@flatshare/core'
import { decodeValue, encodeValue, RaisedBatch, RaisedEvent } from '@flatshare/core/internal'
import { describe, expect, it } from 'vitest'

const raised = (payload: unknown, sequence: number, event = 'e', target?: unknown) =>
  new RaisedEvent(event, payload, target, { last: sequence - 1 })

/** As another thread gets it: by message, and by bytes. */
const ways: ReadonlyArray<readonly [string, (batch: RaisedBatch) => unknown]> = [
  ['here', (batch) => batch.list],
  ['in a message', (batch) => unmarshal(marshal(batch)[0])],
  ['in bytes', (batch) => decodeValue(encodeValue(batch))],
]

describe.each(ways)('a batch of events, %s,', (_way, through) => {
  it('has plain payloads as they were', () => {
    const payloads = [
      { id: 1, name: 'a' },
      { id: -0, name: 'a' },
      { id: Number.NaN, name: 'a' },
      { name: 'b', id: 3 },
      { id: '4', name: undefined },
      { id: 5n, name: null, more: true },
      {},
      6,
      'seven',
      undefined,
      { id: 8, name: 'a' },
    ]
    const list = through(
      new RaisedBatch(
        payloads.map((payload, i) => raised(payload, i + 1)),
        0,
      ),
    ) as any[]
    expect(list).toEqual(payloads.map((payload, i) => ({ event: 'e', payload, sequence: i + 1 })))
    expect(Object.is(list[1].payload.id, -0)).toBe(true)
    expect(Object.keys(list[3].payload)).toEqual(['name', 'id'])
    for (const one of [...list, ...list.map(({ payload }) => payload)]) expect(Object.isFrozen(one)).toBe(true)
  })

  it('has others as structured clone has them, frozen', () => {
    const hidden = Symbol('hidden')
    const proto = JSON.parse('{"__proto__": 1, "a": 2}') as object
    const payloads = [{ deep: [{ x: 1 }], at: new Date(5) }, new Map([['k', { v: 1 }]]), [1, [2]], proto]
    const list = through(
      new RaisedBatch(
        payloads.map((payload, i) => raised(payload, i + 1)),
        0,
      ),
    ) as any[]
    expect(list.map(({ payload }) => payload)).toEqual(payloads)
    expect(Object.keys(list[3].payload)).toEqual(['__proto__', 'a'])
    expect(Object.isFrozen(list[0].payload.deep[0])).toBe(true)
    const marked = through(new RaisedBatch([raised({ a: 1, [hidden]: 2 }, 1)], 0)) as any[]
    expect(Reflect.ownKeys(marked[0].payload)).toEqual(['a'])
  })

  it('has events, targets, gaps and what was dropped', () => {
    const events = [raised(1, 3, 'a'), raised({ x: 1 }, 5, 'b', 'inbox'), raised(2, 6, 'a', 7)]
    expect(through(new RaisedBatch(events, 4))).toEqual([
      { event: 'a', payload: 1, sequence: 3, dropped: 4 },
      { event: 'b', payload: { x: 1 }, target: 'inbox', sequence: 5 },
      { event: 'a', payload: 2, target: 7, sequence: 6 },
    ])
  })

  it('has errors', () => {
    const list = through(new RaisedBatch([raised({ error: new RangeError('full') }, 1), raised(2, 2)], 0)) as any[]
    expect(list[0].payload.error).toBeInstanceOf(RangeError)
    expect(list[1]).toEqual({ event: 'e', payload: 2, sequence: 2 })
  })
})

it('is of the moment when it was raised', () => {
  const payload = { id: 1, deep: { x: 1 } }
  const flat = { id: 1 }
  const events = [raised(payload, 1), raised(flat, 2)]
  payload.deep.x = flat.id = 2
  expect(new RaisedBatch(events, 0).list).toMatchObject([{ payload: { deep: { x: 1 } } }, { payload: { id: 1 } }])
  expect(() => raised(Symbol('no'), 1)).toThrow()
})
