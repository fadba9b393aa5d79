/**
 * Bytes: copied when they are set, and each time that they are read.
 *
 *   +0  length      +4  stamp      +8  the bytes; none at all have no block
 */
import { i32, reach, u8, u32 } from '@flatshare/core/internal'
import { allocateValue } from '../heap/index.js'
import type { CellType } from './cell-type.js'
import { valueCell } from './owning-cell.js'
import { nextStamp } from './stamp.js'

const HEAD_BYTES = 8

type TypedArrayGetter<R> = (this: Uint8Array) => R

const getterOf = <R>(key: string): TypedArrayGetter<R> =>
  Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), key)!.get as TypedArrayGetter<R>

// An object may say otherwise by properties of its own, and would then be copied past its block's end.
const lengthOf = getterOf<number>('length')
const bufferOf = getterOf<ArrayBufferLike>('buffer')

/** A block with these bytes. The caller is in a section of the heap. */
export function makeBytes(bytes: Uint8Array): number {
  const length = lengthOf.call(bytes)
  if (length === 0) return 0
  const block = allocateValue(HEAD_BYTES + length)
  u32[block >> 2] = length
  i32[(block + 4) >> 2] = nextStamp()
  u8.set(bytes, block + HEAD_BYTES)
  return block
}

/** Where the bytes of a block begin and how many they are; all of them can be read then. */
export function bytesAt(block: number): { readonly start: number; readonly length: number } {
  reach(block + HEAD_BYTES)
  const length = u32[block >> 2]!
  const start = block + HEAD_BYTES
  reach(start + length)
  return { start, length }
}

export const bytesCell: CellType<Uint8Array> = valueCell<Uint8Array>({
  name: 'bytes',
  range: 'a Uint8Array',
  valueType: 'object',
  takes: (value): value is Uint8Array => value instanceof Uint8Array && ArrayBuffer.isView(value),
  // Nobody else may change them while they are copied: they may be shared memory themselves. (Not by `slice`, which a
  // subclass may have make something else.)
  prepare: (value) => (bufferOf.call(value) instanceof ArrayBuffer ? value : new Uint8Array(value)),
  make: makeBytes,
  decode(block) {
    if (block === 0) return new Uint8Array(0)
    const { start, length } = bytesAt(block)
    const copy = new Uint8Array(length)
    copy.set(u8.subarray(start, start + length))
    return copy
  },
  isKept: () => false,
})
