/** Accessors that put a class's shared fields in the place of its own. */

import { allocate, f64 } from '@flatshare/core/internal'
import { addressOf, setAddress } from './handle.js'
import { enterToWrite, isInside, leave } from './object-lock.js'
import { misfit } from './scalar-types.js'
import { noteOwnAccessor, type Shape, type Slot, shapeOf } from './shape.js'

/** Defines the accessors of the fields that a class adds to its parent's. */
export function defineFields(shape: Shape): void {
  for (const slot of shape.slots.values()) {
    if (shape.parent?.slots.get(slot.key) === slot) continue
    Object.defineProperty(shape.prototype, slot.key, accessorOf(shape.name, slot))
  }
}

/**
 * Reading from outside is one atomic access. Writing from outside takes the lock, so that it can't fall
 * into the middle of a method on another thread. Inside a method both are plain.
 */
function accessorOf(className: string, slot: Slot): PropertyDescriptor {
  const { type, offset } = slot
  const member = `${className}.${slot.label}`
  const what = () => `${member} =`
  const get = getterOf(slot)
  const set = function (this: object, value: unknown): void {
    const address = addressOf(this)
    // A compiler that assigns fields assigns `undefined` for no initialiser.
    if (value === undefined && address <= 0) return
    if (!type.takes(value)) throw misfit(member, slot.typeName, value)
    if (address <= 0) writeEarly(this, slot, address, value)
    else if (isInside(address)) type.write(address + offset, value)
    else {
      const entry = enterToWrite(address, what)
      type.write(address + offset, value)
      leave(address, entry)
    }
  }
  noteOwnAccessor(get)
  return { get, set, enumerable: false, configurable: true }
}

/** Written out for the type that most fields have: a call for each read would cost more than the read. */
function getterOf(slot: Slot): (this: object) => unknown {
  const { type, typeName, offset } = slot
  if (typeName === 'f64') {
    return function (this: object): unknown {
      const address = addressOf(this)
      return address > 0 ? f64[(address + offset) >> 3] : readEarly(this, slot, address)
    }
  }
  return function (this: object): unknown {
    const address = addressOf(this)
    if (address <= 0) return readEarly(this, slot, address)
    return isInside(address) ? type.read(address + offset) : type.readOutside(address + offset)
  }
}

function readEarly(object: object, slot: Slot, address: number): unknown {
  if (slot.backing && !Object.hasOwn(object, 'constructor')) return slot.backing.get.call(object)
  return address === 0 ? undefined : slot.type.read(-address + slot.offset)
}

/** While the object is under construction: nobody else can hold it, so there is nobody to lock out. */
function writeEarly(object: object, slot: Slot, address: number, value: unknown): void {
  if (slot.backing) {
    slot.backing.set.call(object, value)
    return
  }
  let block = -address
  if (block === 0) {
    block = allocate(shapeOf(object)!.bytes)
    setAddress(object, -block)
  }
  slot.type.write(block + slot.offset, value)
}
