/**
 * The accessors of numbers and booleans, written out for each type: a call for each access would cost more than the
 * access, and accessors that all types share would see all kinds of values, which engines make slower.
 *
 * A getter is one plain read, from inside and from outside: of what this thread can see now. A setter stores where
 * this thread is inside; the rest is the slow path's.
 */
import { f32, f64, i8, i16, i32, i64, u8, u16, u32, u64 } from '@flatshare/core/internal'
import { addressOf } from './handle.js'
import { isInside, mayWrite } from './object-lock.js'

/** What an accessor needs besides the object. */
export interface FieldAccess {
  readonly offset: number
  readonly lockOffset: number
  /** Of an object that isn't settled. */
  readonly readEarly: (object: object) => unknown
  /** Whatever isn't a store to a writable object. */
  readonly write: (object: object, value: unknown) => void
}

export interface Accessor {
  readonly get: (this: object) => unknown
  readonly set: (this: object, value: any) => void
}

/** The accessors of a field, by the name of its type. */
export const scalarAccessors: Readonly<Record<string, (field: FieldAccess) => Accessor>> = {
  i8: ({ offset, lockOffset, readEarly, write }) => ({
    get() {
      const address = addressOf(this)
      return address > 0 ? i8[address + offset] : readEarly(this)
    },
    set(value) {
      const address = addressOf(this)
      if (value === (value << 24) >> 24 && address > 0 && mayWrite(address + lockOffset)) i8[address + offset] = value
      else write(this, value)
    },
  }),
  u8: ({ offset, lockOffset, readEarly, write }) => ({
    get() {
      const address = addressOf(this)
      return address > 0 ? u8[address + offset] : readEarly(this)
    },
    set(value) {
      const address = addressOf(this)
      if (value === (value & 0xff) && address > 0 && mayWrite(address + lockOffset)) u8[address + offset] = value
      else write(this, value)
    },
  }),
  i16: ({ offset, lockOffset, readEarly, write }) => ({
    get() {
      const address = addressOf(this)
      return address > 0 ? i16[(address + offset) >> 1] : readEarly(this)
    },
    set(value) {
      const address = addressOf(this)
      if (value === (value << 16) >> 16 && address > 0 && mayWrite(address + lockOffset))
        i16[(address + offset) >> 1] = value
      else write(this, value)
    },
  }),
  u16: ({ offset, lockOffset, readEarly, write }) => ({
    get() {
      const address = addressOf(this)
      return address > 0 ? u16[(address + offset) >> 1] : readEarly(this)
    },
    set(value) {
      const address = addressOf(this)
      if (value === (value & 0xffff) && address > 0 && mayWrite(address + lockOffset))
        u16[(address + offset) >> 1] = value
      else write(this, value)
    },
  }),
  i32: ({ offset, lockOffset, readEarly, write }) => ({
    get() {
      const address = addressOf(this)
      return address > 0 ? i32[(address + offset) >> 2] : readEarly(this)
    },
    set(value) {
      const address = addressOf(this)
      if (value === (value | 0) && address > 0 && mayWrite(address + lockOffset)) i32[(address + offset) >> 2] = value
      else write(this, value)
    },
  }),
  u32: ({ offset, lockOffset, readEarly, write }) => ({
    get() {
      const address = addressOf(this)
      return address > 0 ? u32[(address + offset) >> 2] : readEarly(this)
    },
    set(value) {
      const address = addressOf(this)
      if (value === value >>> 0 && address > 0 && mayWrite(address + lockOffset)) u32[(address + offset) >> 2] = value
      else write(this, value)
    },
  }),
  f32: ({ offset, lockOffset, readEarly, write }) => ({
    get() {
      const address = addressOf(this)
      return address > 0 ? f32[(address + offset) >> 2] : readEarly(this)
    },
    set(value) {
      const address = addressOf(this)
      if (typeof value === 'number' && address > 0 && mayWrite(address + lockOffset))
        f32[(address + offset) >> 2] = value
      else write(this, value)
    },
  }),
  f64: ({ offset, lockOffset, readEarly, write }) => ({
    get() {
      const address = addressOf(this)
      return address > 0 ? f64[(address + offset) >> 3] : readEarly(this)
    },
    set(value) {
      const address = addressOf(this)
      if (typeof value === 'number' && address > 0 && mayWrite(address + lockOffset))
        f64[(address + offset) >> 3] = value
      else write(this, value)
    },
  }),
  bool: ({ offset, lockOffset, readEarly, write }) => ({
    get() {
      const address = addressOf(this)
      return address > 0 ? u8[address + offset] !== 0 : readEarly(this)
    },
    set(value) {
      const address = addressOf(this)
      if (typeof value === 'boolean' && address > 0 && mayWrite(address + lockOffset))
        u8[address + offset] = value ? 1 : 0
      else write(this, value)
    },
  }),
  // A plain access to 64 bits as a bigint may tear, as the specification has it.
  i64: ({ offset, lockOffset, readEarly, write }) => ({
    get() {
      const address = addressOf(this)
      if (address <= 0) return readEarly(this)
      const index = (address + offset) >> 3
      return isInside(address + lockOffset) ? i64[index] : Atomics.load(i64, index)
    },
    set(value) {
      const address = addressOf(this)
      const fits = typeof value === 'bigint' && BigInt.asIntN(64, value) === value
      if (fits && address > 0 && mayWrite(address + lockOffset)) Atomics.store(i64, (address + offset) >> 3, value)
      else write(this, value)
    },
  }),
  // A plain access to 64 bits as a bigint may tear, as the specification has it.
  u64: ({ offset, lockOffset, readEarly, write }) => ({
    get() {
      const address = addressOf(this)
      if (address <= 0) return readEarly(this)
      const index = (address + offset) >> 3
      return isInside(address + lockOffset) ? u64[index] : Atomics.load(u64, index)
    },
    set(value) {
      const address = addressOf(this)
      const fits = typeof value === 'bigint' && BigInt.asUintN(64, value) === value
      if (fits && address > 0 && mayWrite(address + lockOffset)) Atomics.store(u64, (address + offset) >> 3, value)
      else write(this, value)
    },
  }),
}
