/** Accessors that put a class's shared fields in the place of its own. */

import { makeAccess } from './access.js'
import { adopt, refuseStandIn } from './adoption.js'
import { misfit, withMember } from './cells/cell-type.js'
import { addressOf, attachmentOf, DISPOSED } from './handle.js'
import { makeBlock } from './heap/index.js'
import { enterToWrite, isInside, leave, mayWrite } from './object-lock.js'
import { readFromOutside } from './reading.js'
import { type Accessor, scalarAccessors } from './scalar-accessors.js'
import { noteOwnAccessor, type Shape, type Slot, shapeOf } from './shape.js'

/** Defines the accessors of the fields that a class adds to its parent's. */
export function defineFields(shape: Shape): void {
  for (const slot of shape.slots.values()) {
    if (shape.parent?.slots.has(slot.key) && !slot.backing) continue
    const accessor = accessorOf(shape, slot)
    noteOwnAccessor(accessor.get)
    Object.defineProperty(shape.prototype, slot.key, { ...accessor, enumerable: false, configurable: true })
  }
}

/**
 * Reading a scalar is one access, from inside and from outside. Writing from outside takes the lock, so that it can't
 * fall into the middle of a method on another thread; so does reading what isn't a scalar.
 */
function accessorOf(shape: Shape, slot: Slot): Accessor {
  const { type, offset } = slot
  const { addressOf } = shape
  const { lockOffset } = slot.group
  const write = writerOf(shape.name, slot)
  const early = (object: object) => readEarly(object, slot)
  // Those know the main group's lock.
  const scalar = type.isScalar && lockOffset === 0 ? scalarAccessors[type.name] : undefined
  if (scalar) return scalar({ addressOf, offset, readEarly: early, write })
  return {
    get: getterOf(shape, slot, early),
    set: type.isScalar ? scalarSetterOf(shape, slot, write) : setterOf(write),
  }
}

function scalarSetterOf(
  { addressOf }: Shape,
  { type, offset, group }: Slot,
  write: (object: object, value: unknown) => void,
): Accessor['set'] {
  const { lockOffset } = group
  return function (value) {
    const address = addressOf(this)
    if (address > 0 && type.takes(value) && mayWrite(address, lockOffset)) type.write(address + offset, value)
    else write(this, value)
  }
}

function setterOf(write: (object: object, value: unknown) => void): Accessor['set'] {
  return function (value) {
    write(this, value)
  }
}

function getterOf({ name, addressOf }: Shape, slot: Slot, early: (object: object) => unknown): Accessor['get'] {
  const { type, offset, index, group } = slot
  if (type.facade) {
    return function () {
      return type.facade!(this, slot)
    }
  }
  if (type.isScalar) {
    return function () {
      const address = addressOf(this)
      return address > 0 ? type.readOutside!(address + offset) : early(this)
    }
  }
  const access = makeAccess(`${name}.${slot.label}`, group)
  const read = (object: object, cell: number): unknown =>
    type.readCached ? type.readCached(cell, (attachmentOf(object)!.cache ??= []), index) : type.read(cell)
  return function () {
    const address = addressOf(this)
    if (address <= 0) return early(this)
    const lock = address + group.lockOffset
    if (isInside(lock)) return read(this, address + offset)
    return readFromOutside(this, lock, access, () => read(this, address + offset))
  }
}

function writerOf(className: string, slot: Slot): (object: object, value: unknown) => void {
  const { type, offset, group } = slot
  const member = `${className}.${slot.label}`
  const access = makeAccess(`${member} =`, group)
  return (object, value) => {
    const address = addressOf(object)
    // A compiler that assigns fields assigns `undefined` for no initialiser.
    if (value === undefined && address <= 0 && address !== DISPOSED) return
    if (!type.takes(value)) throw misfit(member, type, value)
    if (address <= 0) {
      writeEarly(object, slot, address, value)
      return
    }
    const lock = address + group.lockOffset
    const entry = enterToWrite(object, lock, access)
    try {
      type.write(address + offset, value)
    } catch (error) {
      throw withMember(member, error)
    } finally {
      leave(object, lock, access, entry)
    }
  }
}

function readEarly(object: object, slot: Slot): unknown {
  const address = addressOf(object)
  if (address === DISPOSED) return adopt(object)
  if (address === 0 && object !== shapeOf(object)?.prototype) refuseStandIn(object)
  if (slot.backing && !Object.hasOwn(object, 'constructor')) return slot.backing.get.call(object)
  return address === 0 ? undefined : slot.type.read(-address + slot.offset)
}

/** While the object is under construction: nobody else can hold it, so there is nobody to lock out. */
function writeEarly(object: object, slot: Slot, address: number, value: unknown): void {
  if (address === DISPOSED) adopt(object)
  if (address === 0) refuseStandIn(object)
  if (slot.backing) {
    slot.backing.set.call(object, value)
    return
  }
  if (slot.type.owns !== 'nothing') {
    // Adoption moves it: what it refers to may be under construction too.
    Object.defineProperty(object, slot.key, { value, writable: true, enumerable: true, configurable: true })
    return
  }
  const block = address === 0 ? makeBlock(object, shapeOf(object)!.typeId(), true) : -address
  slot.type.write(block + slot.offset, value)
}
