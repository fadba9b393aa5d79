/** Strings of any length; `text.ts` has their blocks. */
import { u32 } from '@flatshare/core/internal'
import type { CellType } from './cell-type.js'
import { valueCell } from './owning-cell.js'
import { hashText, hashTextAt, isTextAt, makeText, readText } from './text.js'

export const stringCell: CellType<string> = {
  ...valueCell<string>({
    name: 'string',
    range: 'a string',
    valueType: 'string',
    takes: (value): value is string => typeof value === 'string',
    prepare: (value) => value,
    make: makeText,
    decode: readText,
    isKept: () => true,
  }),
  hash: hashText,
  equalsAt: (address, value) => isTextAt(u32[address >> 2]!, value),
  hashAt: (address) => hashTextAt(u32[address >> 2]!),
}
