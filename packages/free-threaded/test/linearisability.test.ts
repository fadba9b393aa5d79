import { describe, expect, test } from 'vitest'
import { linearise, type Recorded, type SequentialModel, UNKNOWN } from './linearisability.js'

type Op = { write: number } | 'read'
const register: SequentialModel<number, Op, number | undefined> = {
  initial: 0,
  step: (state, op, result) => {
    if (op !== 'read') return op.write
    return result === UNKNOWN || result === state ? state : undefined
  },
  name: String,
}
type Call = Recorded<Op, number | undefined>
const read = (result: number, began: number, ended: number): Call => ({ op: 'read', result, began, ended })
const write = (value: number, began: number, ended: number): Call => ({
  op: { write: value },
  result: ended === Infinity ? UNKNOWN : undefined,
  began,
  ended,
})

describe('the checker of histories', () => {
  test('explains calls that overlap', () => {
    expect(linearise([write(1, 1, 6), read(0, 2, 3), read(1, 4, 5)], register)).toBeDefined()
    expect(linearise([write(1, 1, 6), write(2, 2, 5), read(1, 7, 8)], register)).toBeDefined()
  })

  test('finds a value that goes back', () => {
    expect(linearise([write(1, 1, 6), read(1, 2, 3), read(0, 4, 5)], register)).toBeUndefined()
  })

  test('finds a write that was lost', () => {
    expect(linearise([write(1, 1, 2), read(0, 3, 4)], register)).toBeUndefined()
  })

  test('lets a call that never returned take effect, or not', () => {
    expect(linearise([write(1, 1, Infinity), read(0, 2, 3), read(1, 4, 5)], register)).toBeDefined()
    expect(linearise([write(1, 1, Infinity), read(0, 2, 3), read(0, 4, 5)], register)).toBeDefined()
    expect(linearise([write(1, 1, Infinity), read(1, 2, 3), read(0, 4, 5)], register)).toBeUndefined()
  })
})
