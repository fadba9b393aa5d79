/**
 * The scalar types of shared fields: how each is read and written, and what it takes.
 *
 * A write never truncates: a value that the type can't hold exactly is refused before anything is
 * written. `f32` is the exception that its users expect: it rounds.
 *
 * `read` is for whoever holds the object's lock. `readOutside` is for everybody else: a single machine
 * access that no compiler may move (`f32` and `f64`, which `Atomics` doesn't take, are aligned, and so
 * one machine access as well).
 */
import { f32, f64, i8, i16, i32, i64, u8, u16, u32, u64 } from '@flatshare/core/internal'

/** What `@Shared` takes: integers by width, `i64` and `u64` as bigint, floating point, `bool`. */
export type SharedType = 'i8' | 'u8' | 'i16' | 'u16' | 'i32' | 'u32' | 'i64' | 'u64' | 'f32' | 'f64' | 'bool'

/** A scalar's value in a program. */
export type SharedValue = number | bigint | boolean

export interface ScalarType<V extends SharedValue = any> {
  readonly bytes: 1 | 2 | 4 | 8
  /** Whether a value fits exactly. */
  takes(value: unknown): value is V
  /** The values that fit, for an error. */
  readonly range: string
  readonly valueType: 'number' | 'bigint' | 'boolean'
  read(address: number): V
  readOutside(address: number): V
  write(address: number, value: V): void
}

function integer(
  bytes: 1 | 2 | 4,
  [least, most]: readonly [number, number],
  access: Pick<ScalarType<number>, 'read' | 'readOutside' | 'write'>,
): ScalarType<number> {
  return {
    bytes,
    valueType: 'number',
    range: `a whole number from ${least} to ${most}`,
    takes: (value): value is number =>
      typeof value === 'number' && value >= least && value <= most && value === Math.floor(value),
    ...access,
  }
}

export const scalarTypes: Readonly<Record<SharedType, ScalarType>> = {
  i8: integer(1, [-0x80, 0x7f], {
    read: (address) => i8[address],
    readOutside: (address) => Atomics.load(i8, address),
    write: (address, value) => void (i8[address] = value),
  }),
  u8: integer(1, [0, 0xff], {
    read: (address) => u8[address],
    readOutside: (address) => Atomics.load(u8, address),
    write: (address, value) => void (u8[address] = value),
  }),
  i16: integer(2, [-0x8000, 0x7fff], {
    read: (address) => i16[address >> 1],
    readOutside: (address) => Atomics.load(i16, address >> 1),
    write: (address, value) => void (i16[address >> 1] = value),
  }),
  u16: integer(2, [0, 0xffff], {
    read: (address) => u16[address >> 1],
    readOutside: (address) => Atomics.load(u16, address >> 1),
    write: (address, value) => void (u16[address >> 1] = value),
  }),
  i32: integer(4, [-0x80000000, 0x7fffffff], {
    read: (address) => i32[address >> 2],
    readOutside: (address) => Atomics.load(i32, address >> 2),
    write: (address, value) => void (i32[address >> 2] = value),
  }),
  u32: integer(4, [0, 0xffffffff], {
    read: (address) => u32[address >> 2],
    readOutside: (address) => Atomics.load(u32, address >> 2),
    write: (address, value) => void (u32[address >> 2] = value),
  }),
  i64: {
    bytes: 8,
    valueType: 'bigint',
    range: 'a bigint from -2^63 to 2^63 - 1',
    takes: (value): value is bigint => typeof value === 'bigint' && BigInt.asIntN(64, value) === value,
    read: (address) => i64[address >> 3],
    readOutside: (address) => Atomics.load(i64, address >> 3),
    // Not a plain store: the specification lets that one tear.
    write: (address, value) => void Atomics.store(i64, address >> 3, value),
  },
  u64: {
    bytes: 8,
    valueType: 'bigint',
    range: 'a bigint from 0 to 2^64 - 1',
    takes: (value): value is bigint => typeof value === 'bigint' && BigInt.asUintN(64, value) === value,
    read: (address) => u64[address >> 3],
    readOutside: (address) => Atomics.load(u64, address >> 3),
    write: (address, value) => void Atomics.store(u64, address >> 3, value),
  },
  f32: {
    bytes: 4,
    valueType: 'number',
    range: 'a number',
    takes: (value): value is number => typeof value === 'number',
    read: (address) => f32[address >> 2],
    readOutside: (address) => f32[address >> 2],
    write: (address, value) => void (f32[address >> 2] = value),
  },
  f64: {
    bytes: 8,
    valueType: 'number',
    range: 'a number',
    takes: (value): value is number => typeof value === 'number',
    read: (address) => f64[address >> 3],
    readOutside: (address) => f64[address >> 3],
    write: (address, value) => void (f64[address >> 3] = value),
  },
  bool: {
    bytes: 1,
    valueType: 'boolean',
    range: 'true or false',
    takes: (value): value is boolean => typeof value === 'boolean',
    read: (address) => u8[address] !== 0,
    readOutside: (address) => Atomics.load(u8, address) !== 0,
    write: (address, value) => void (u8[address] = value ? 1 : 0),
  },
}

export function isSharedType(name: unknown): name is SharedType {
  return typeof name === 'string' && Object.hasOwn(scalarTypes, name)
}

function shown(value: unknown): string {
  if (typeof value === 'string') return `the string ${JSON.stringify(value.slice(0, 40))}`
  if (typeof value === 'bigint') return `the bigint ${value}n`
  if (typeof value === 'number') return `the number ${Object.is(value, -0) ? '-0' : value}`
  if (typeof value === 'object' && value !== null) return 'an object'
  return typeof value === 'function' || typeof value === 'symbol' ? `a ${typeof value}` : String(value)
}

/** The error for a value that the type doesn't take. */
export function misfit(member: string, typeName: SharedType, value: unknown): TypeError | RangeError {
  const { valueType, range } = scalarTypes[typeName]
  const Kind = typeof value === valueType ? RangeError : TypeError
  return new Kind(`${member} is shared as ${typeName} and takes ${range}, not ${shown(value)}.`)
}
