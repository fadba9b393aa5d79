/**
 * The accessors of numbers and booleans, written out for each type: a call for each access would cost more than the
 * access, and accessors that all types share would see all kinds of values, which engines make slower.
 *
 * A getter is one plain read, from inside and from outside: of what this thread can see now. A setter stores where
 * this thread is inside: that is `mayWrite`, which would not be compiled in as well from elsewhere. The rest is the slow
 * path's.
 */
import { views } from '@flatshare/core/internal'
import { beginWriting as beginWritingUnder, isInside as isInsideLock } from './object-lock.js'

// What a module imports, engines load and check at each use; what it defines they compile in.
const memory = views
const isInside = isInsideLock
const beginWriting = beginWritingUnder

/** What an accessor needs besides the object. */
export interface FieldAccess {
  /** The class's own. */
  readonly addressOf: (object: object) => number
  readonly offset: number
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
  i8: ({ addressOf, offset, readEarly, write }) => ({
    get() {
      const address = addressOf(this)
      return address > 0 ? memory.i8[address + offset] : readEarly(this)
    },
    set(value) {
      const address = addressOf(this)
      if (value === (value << 24) >> 24 && address > 0 && beginWriting(address)) memory.i8[address + offset] = value
      else write(this, value)
    },
  }),
  u8: ({ addressOf, offset, readEarly, write }) => ({
    get() {
      const address = addressOf(this)
      return address > 0 ? memory.u8[address + offset] : readEarly(this)
    },
    set(value) {
      const address = addressOf(this)
      if (value === (value & 0xff) && address > 0 && beginWriting(address)) memory.u8[address + offset] = value
      else write(this, value)
    },
  }),
  i16: ({ addressOf, offset, readEarly, write }) => ({
    get() {
      const address = addressOf(this)
      return address > 0 ? memory.i16[(address + offset) >> 1] : readEarly(this)
    },
    set(value) {
      const address = addressOf(this)
      if (value === (value << 16) >> 16 && address > 0 && beginWriting(address))
        memory.i16[(address + offset) >> 1] = value
      else write(this, value)
    },
  }),
  u16: ({ addressOf, offset, readEarly, write }) => ({
    get() {
      const address = addressOf(this)
      return address > 0 ? memory.u16[(address + offset) >> 1] : readEarly(this)
    },
    set(value) {
      const address = addressOf(this)
      if (value === (value & 0xffff) && address > 0 && beginWriting(address))
        memory.u16[(address + offset) >> 1] = value
      else write(this, value)
    },
  }),
  i32: ({ addressOf, offset, readEarly, write }) => ({
    get() {
      const address = addressOf(this)
      return address > 0 ? memory.i32[(address + offset) >> 2] : readEarly(this)
    },
    set(value) {
      const address = addressOf(this)
      if (value === (value | 0) && address > 0 && beginWriting(address)) memory.i32[(address + offset) >> 2] = value
      else write(this, value)
    },
  }),
  u32: ({ addressOf, offset, readEarly, write }) => ({
    get() {
      const address = addressOf(this)
      return address > 0 ? memory.u32[(address + offset) >> 2] : readEarly(this)
    },
    set(value) {
      const address = addressOf(this)
      if (value === value >>> 0 && address > 0 && beginWriting(address)) memory.u32[(address + offset) >> 2] = value
      else write(this, value)
    },
  }),
  f32: ({ addressOf, offset, readEarly, write }) => ({
    get() {
      const address = addressOf(this)
      return address > 0 ? memory.f32[(address + offset) >> 2] : readEarly(this)
    },
    set(value) {
      const address = addressOf(this)
      if (typeof value === 'number' && address > 0 && beginWriting(address)) memory.f32[(address + offset) >> 2] = value
      else write(this, value)
    },
  }),
  f64: ({ addressOf, offset, readEarly, write }) => ({
    get() {
      const address = addressOf(this)
      return address > 0 ? memory.f64[(address + offset) >> 3] : readEarly(this)
    },
    set(value) {
      const address = addressOf(this)
      if (typeof value === 'number' && address > 0 && beginWriting(address)) memory.f64[(address + offset) >> 3] = value
      else write(this, value)
    },
  }),
  bool: ({ addressOf, offset, readEarly, write }) => ({
    get() {
      const address = addressOf(this)
      return address > 0 ? memory.u8[address + offset] !== 0 : readEarly(this)
    },
    set(value) {
      const address = addressOf(this)
      if (typeof value === 'boolean' && address > 0 && beginWriting(address))
        memory.u8[address + offset] = value ? 1 : 0
      else write(this, value)
    },
  }),
  // A plain access to 64 bits as a bigint may tear, as the specification has it.
  i64: ({ addressOf, offset, readEarly, write }) => ({
    get() {
      const address = addressOf(this)
      if (address <= 0) return readEarly(this)
      const index = (address + offset) >> 3
      return isInside(address) ? memory.i64[index] : Atomics.load(memory.i64, index)
    },
    set(value) {
      const address = addressOf(this)
      const fits = typeof value === 'bigint' && BigInt.asIntN(64, value) === value
      if (fits && address > 0 && beginWriting(address)) Atomics.store(memory.i64, (address + offset) >> 3, value)
      else write(this, value)
    },
  }),
  // A plain access to 64 bits as a bigint may tear, as the specification has it.
  u64: ({ addressOf, offset, readEarly, write }) => ({
    get() {
      const address = addressOf(this)
      if (address <= 0) return readEarly(this)
      const index = (address + offset) >> 3
      return isInside(address) ? memory.u64[index] : Atomics.load(memory.u64, index)
    },
    set(value) {
      const address = addressOf(this)
      const fits = typeof value === 'bigint' && BigInt.asUintN(64, value) === value
      if (fits && address > 0 && beginWriting(address)) Atomics.store(memory.u64, (address + offset) >> 3, value)
      else write(this, value)
    },
  }),
}
