/**
 * Fixed arrays of numbers. Short ones lie in the object itself, longer ones in a value block that their
 * cell owns: made when it is written first, and then written in place, so that it stays where it is.
 *
 *   block   +0 length   +4 unused   +8 the numbers
 */
import { arena, reach, u8, u32 } from '@flatshare/core/internal'
import { allocateValue } from '../heap/index.js'
import { facadeOf } from './array-facade.js'
import type { ArrayType, RawArray } from './array-type.js'
import { array } from './array-type.js'
import type { CellType, Owning } from './cell-type.js'
import { clearOwned, dropValue, replaceOwned } from './owning-cell.js'
import { type ScalarType, scalarTypes } from './scalars.js'
import type { NumberTypeName } from './value-types.js'

/** Longer arrays get a block. */
const MOST_INSIDE = 1024
const HEAD_BYTES = 8

type ArrayClass = new (buffer: ArrayBufferLike, offset: number, length: number) => RawArray

const classes: Readonly<Record<NumberTypeName, ArrayClass & { readonly BYTES_PER_ELEMENT: number }>> = {
  i8: Int8Array,
  u8: Uint8Array,
  i16: Int16Array,
  u16: Uint16Array,
  i32: Int32Array,
  u32: Uint32Array,
  i64: BigInt64Array,
  u64: BigUint64Array,
  f32: Float32Array,
  f64: Float64Array,
}

/** What facades need to know of an array's type. */
export interface ArrayLayout {
  readonly element: ScalarType<number | bigint>
  readonly length: number
  /** Where the numbers of a cell begin; 0 where there are none yet, and all are zero. */
  at(cell: number): number
  /** As `at`, made if there are none. The caller holds the lock. */
  made(cell: number): number
  /** The numbers at an address, as the memory that they are. */
  viewAt(address: number): RawArray
}

export function arrayCell({ of, length }: ArrayType<NumberTypeName>): CellType<ArrayLike<number | bigint>> {
  array(of, length) // checks
  const element = scalarTypes[of]
  const bytes = element.bytes * length
  const isInside = bytes <= MOST_INSIDE
  const zero = of === 'i64' || of === 'u64' ? 0n : 0

  const copy = (values: ArrayLike<number | bigint>, address: number): void => {
    for (let i = 0; i < length; i++) element.write(address + i * element.bytes, values[i]!)
  }
  const owning: Owning<ArrayLike<number | bigint>, ArrayLike<number | bigint> | undefined> = {
    prepare: (values) => Array.prototype.slice.call(values),
    make(values) {
      const block = allocateValue(HEAD_BYTES + bytes)
      u32[block >> 2] = length
      u8.fill(0, block + HEAD_BYTES, block + HEAD_BYTES + bytes)
      if (values) copy(values, block + HEAD_BYTES)
      return block
    },
    drop: dropValue,
  }
  const inBlock = (block: number): number => {
    if (block === 0) return 0
    reach(block + HEAD_BYTES + bytes)
    return block + HEAD_BYTES
  }
  const layout: ArrayLayout = {
    element,
    length,
    at: isInside ? (cell) => cell : (cell) => inBlock(Atomics.load(u32, cell >> 2)),
    made(cell) {
      if (isInside) return cell
      if (u32[cell >> 2] === 0) replaceOwned({ ...owning, prepare: () => undefined }, cell, undefined)
      return inBlock(u32[cell >> 2]!)
    },
    viewAt: (address) => new classes[of](arena(), address, length),
  }
  return {
    name: `${of}[${length}]`,
    bytes: isInside ? bytes : 4,
    align: isInside ? element.align : 4,
    owns: isInside ? 'nothing' : 'value',
    isScalar: false,
    range: `${length} values, each ${element.range}`,
    valueType: 'object',
    takes(value): value is ArrayLike<number | bigint> {
      if (typeof value !== 'object' || value === null) return false
      const list = value as ArrayLike<unknown>
      if (list.length !== length) return false
      for (let i = 0; i < length; i++) if (!element.takes(list[i])) return false
      return true
    },
    read(cell) {
      const address = layout.at(cell)
      if (address === 0) return new Array<number | bigint>(length).fill(zero)
      return Array.from({ length }, (_, i) => element.read(address + i * element.bytes))
    },
    write(cell, values) {
      // The values may be those of this very array.
      copy(Array.prototype.slice.call(values) as (number | bigint)[], layout.made(cell))
    },
    clear: isInside ? (cell) => void u8.fill(0, cell, cell + bytes) : (cell) => clearOwned(owning, cell),
    ...(isInside ? {} : { owning }),
    facade: (object, slot) => facadeOf(object, slot, layout),
  }
}
