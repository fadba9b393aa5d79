/**
 * JSON-like values, and beyond JSON what a program would miss: `Date`, `Map`, `Set`, bigint, `undefined`,
 * regular expressions, typed arrays, cycles. They are encoded when they are set, and what comes out is
 * frozen: the same value again while nobody has set another one.
 *
 * Blocks are as those of bytes; a cell that was never set is `undefined`.
 */
import { FlatshareError, NotMarshalableError } from '@flatshare/core'
import { decodeAt, encodeValue } from '@flatshare/core/internal'
import { bytesAt, makeBytes } from './bytes-cell.js'
import type { CellType } from './cell-type.js'
import { freezeDecoded } from './frozen-value.js'
import { valueCell } from './owning-cell.js'

const nothing = new Uint8Array(0)
/** Values with parts that can't be frozen. */
const changeable = new WeakSet<object>()

function encoded(value: unknown): Uint8Array {
  if (value === undefined) return nothing
  try {
    return encodeValue(value, { plain: true })
  } catch (error) {
    if (!(error instanceof NotMarshalableError)) throw error
    const what = error.message.replace(/^A value can't cross to another thread: /, '').split(/ Functions cross /)[0]!
    throw new FlatshareError(
      `A 'json' value can't be shared: ${what} It takes plain objects and arrays, numbers, strings, Map, Set, Date and ` +
        'the like. A free-threaded object goes into a field of its own, @Shared(ref(Class)).',
      { cause: error },
    )
  }
}

export const jsonCell: CellType = valueCell<unknown>({
  name: 'json',
  range: 'a JSON-like value',
  valueType: 'object',
  takes: (value): value is unknown => typeof value !== 'function' && typeof value !== 'symbol',
  prepare: encoded,
  make: makeBytes,
  decode(block) {
    if (block === 0) return undefined
    const { start, length } = bytesAt(block)
    const value = decodeAt(start, length)
    if (!freezeDecoded(value)) changeable.add(value as object)
    return value
  },
  isKept: (value) => typeof value !== 'object' || value === null || !changeable.has(value),
})
