/**
 * Numbers and booleans.
 *
 * A write never truncates: a value that the type can't hold exactly is refused before anything is
 * written. `f32` is the exception that its users expect: it rounds.
 *
 * `read` is for whoever holds the object's lock. `readOutside` is for everybody else: a single machine
 * access that no compiler may move (`f32` and `f64`, which `Atomics` doesn't take, are aligned, and so
 * one machine access as well).
 */
import { f32, f64, i8, i16, i32, i64, u8, u16, u32, u64 } from '@flatshare/core/internal'
import type { CellType } from './cell-type.js'
import type { ScalarName } from './value-types.js'

/** A scalar's value in a program. */
type ScalarValue = number | bigint | boolean

export interface ScalarType<V extends ScalarValue = any> extends CellType<V> {
  readonly bytes: 1 | 2 | 4 | 8
  readonly owns: 'nothing'
  readonly isScalar: true
  readonly valueType: 'number' | 'bigint' | 'boolean'
  readOutside(address: number): V
  hash(value: V): number
  equalsAt(address: number, value: V): boolean
  hashAt(address: number): number
}

type Access<V extends ScalarValue> = Pick<ScalarType<V>, 'read' | 'readOutside' | 'write'>

/** Spreads 32 bits over all of a hash; the finisher of MurmurHash3. */
export function mix(bits: number): number {
  let h = bits
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

const float = new Float64Array(1)
const floatBits = new Int32Array(float.buffer)

function hashNumber(value: number): number {
  const small = value | 0
  // -0 is 0 here, as for the keys of a Map.
  if (small === value) return mix(small)
  float[0] = Number.isNaN(value) ? Number.NaN : value
  return mix(floatBits[0]! ^ Math.imul(floatBits[1]!, 31))
}

const hashBigint = (value: bigint): number =>
  mix(Number(BigInt.asIntN(32, value)) ^ Math.imul(Number(BigInt.asIntN(32, value >> 32n)), 31))

/** As the keys of a Map are compared. */
const sameValueZero = (a: number, b: number): boolean => a === b || (Number.isNaN(a) && Number.isNaN(b))

function number(
  name: ScalarName,
  bytes: 1 | 2 | 4 | 8,
  range: string,
  takes: (value: unknown) => value is number,
  access: Access<number>,
): ScalarType<number> {
  const { read, write } = access
  return {
    name,
    bytes,
    align: bytes,
    owns: 'nothing',
    isScalar: true,
    valueType: 'number',
    range,
    takes,
    ...access,
    clear: (address) => write(address, 0),
    hash: hashNumber,
    equalsAt: (address, value) => sameValueZero(read(address), value),
    hashAt: (address) => hashNumber(read(address)),
  }
}

function integer(
  name: ScalarName,
  bytes: 1 | 2 | 4,
  [least, most]: readonly [number, number],
  access: Access<number>,
): ScalarType<number> {
  const takes = (value: unknown): value is number =>
    typeof value === 'number' && value >= least && value <= most && value === Math.floor(value)
  return number(name, bytes, `a whole number from ${least} to ${most}`, takes, access)
}

const isNumber = (value: unknown): value is number => typeof value === 'number'

function bigint(
  name: ScalarName,
  range: string,
  fits: (value: bigint) => boolean,
  access: Access<bigint>,
): ScalarType<bigint> {
  const { read, write } = access
  return {
    name,
    bytes: 8,
    align: 8,
    owns: 'nothing',
    isScalar: true,
    valueType: 'bigint',
    range,
    takes: (value): value is bigint => typeof value === 'bigint' && fits(value),
    ...access,
    clear: (address) => write(address, 0n),
    hash: hashBigint,
    equalsAt: (address, value) => read(address) === value,
    hashAt: (address) => hashBigint(read(address)),
  }
}

const bool: ScalarType<boolean> = {
  name: 'bool',
  bytes: 1,
  align: 1,
  owns: 'nothing',
  isScalar: true,
  valueType: 'boolean',
  range: 'true or false',
  takes: (value): value is boolean => typeof value === 'boolean',
  read: (address) => u8[address] !== 0,
  readOutside: (address) => Atomics.load(u8, address) !== 0,
  write: (address, value) => void (u8[address] = value ? 1 : 0),
  clear: (address) => void (u8[address] = 0),
  hash: (value) => mix(value ? 1 : 0),
  equalsAt: (address, value) => (u8[address] !== 0) === value,
  hashAt: (address) => mix(u8[address] !== 0 ? 1 : 0),
}

export const scalarTypes: Readonly<Record<ScalarName, ScalarType>> = {
  i8: integer('i8', 1, [-0x80, 0x7f], {
    read: (address) => i8[address],
    readOutside: (address) => Atomics.load(i8, address),
    write: (address, value) => void (i8[address] = value),
  }),
  u8: integer('u8', 1, [0, 0xff], {
    read: (address) => u8[address],
    readOutside: (address) => Atomics.load(u8, address),
    write: (address, value) => void (u8[address] = value),
  }),
  i16: integer('i16', 2, [-0x8000, 0x7fff], {
    read: (address) => i16[address >> 1],
    readOutside: (address) => Atomics.load(i16, address >> 1),
    write: (address, value) => void (i16[address >> 1] = value),
  }),
  u16: integer('u16', 2, [0, 0xffff], {
    read: (address) => u16[address >> 1],
    readOutside: (address) => Atomics.load(u16, address >> 1),
    write: (address, value) => void (u16[address >> 1] = value),
  }),
  i32: integer('i32', 4, [-0x80000000, 0x7fffffff], {
    read: (address) => i32[address >> 2],
    readOutside: (address) => Atomics.load(i32, address >> 2),
    write: (address, value) => void (i32[address >> 2] = value),
  }),
  u32: integer('u32', 4, [0, 0xffffffff], {
    read: (address) => u32[address >> 2],
    readOutside: (address) => Atomics.load(u32, address >> 2),
    write: (address, value) => void (u32[address >> 2] = value),
  }),
  i64: bigint('i64', 'a bigint from -2^63 to 2^63 - 1', (value) => BigInt.asIntN(64, value) === value, {
    read: (address) => i64[address >> 3],
    readOutside: (address) => Atomics.load(i64, address >> 3),
    // Not a plain store: the specification lets that one tear.
    write: (address, value) => void Atomics.store(i64, address >> 3, value),
  }),
  u64: bigint('u64', 'a bigint from 0 to 2^64 - 1', (value) => BigInt.asUintN(64, value) === value, {
    read: (address) => u64[address >> 3],
    readOutside: (address) => Atomics.load(u64, address >> 3),
    write: (address, value) => void Atomics.store(u64, address >> 3, value),
  }),
  f32: {
    ...number('f32', 4, 'a number', isNumber, {
      read: (address) => f32[address >> 2],
      readOutside: (address) => f32[address >> 2],
      write: (address, value) => void (f32[address >> 2] = value),
    }),
    // Who looks for 0.1 means what 0.1 was rounded to.
    hash: (value) => hashNumber(Math.fround(value)),
    equalsAt: (address, value) => sameValueZero(f32[address >> 2]!, Math.fround(value)),
  },
  f64: number('f64', 8, 'a number', isNumber, {
    read: (address) => f64[address >> 3],
    readOutside: (address) => f64[address >> 3],
    write: (address, value) => void (f64[address >> 3] = value),
  }),
  bool,
}

export function isScalarName(name: unknown): name is ScalarName {
  return typeof name === 'string' && Object.hasOwn(scalarTypes, name)
}
