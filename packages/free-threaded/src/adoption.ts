/**
 * Moving an object's state into shared memory.
 *
 * A constructor leaves the fields in one of three places, as its compiler likes it: in own properties
 * (fields are *defined*), behind the prototype's setters (they are *assigned*), or in hidden fields
 * (members declared with `accessor`). The first use of the object (a method, `marshal`, `locked`) *adopts*
 * it: takes the values from wherever they are, checks all, and only then moves them. Until then nobody
 * else can hold the object, so nothing is lost.
 *
 * Own properties are deleted last to first: then V8 goes back to the layout of the empty object, instead
 * of turning the object into a dictionary. Listing an object's own keys costs as much as all the rest, so
 * what a class's constructor leaves is remembered as a *pattern*, and a `for … in` (which sees strings
 * only, and costs next to nothing) tells whether the next object has it.
 */
import { FlatshareError } from '@flatshare/core'
import { allocate } from '@flatshare/core/internal'
import { addressOf, setAddress } from './handle.js'
import { misfit } from './scalar-types.js'
import { isFreeHere, label, type Shape, type Slot, shapeOf } from './shape.js'

/**
 * The address of the object's block, with all state in it.
 *
 * @throws FlatshareError for state that is neither shared nor per-thread, and for undecorated subclasses.
 * @throws TypeError, RangeError for a value that its field doesn't take.
 */
export function adopt(object: object): number {
  const pattern = patterns.get(Object.getPrototypeOf(object) as object)
  return (pattern && adoptByPattern(object, pattern)) || adoptWhole(object)
}

/** What the last object of a class had when it was adopted, if that was own fields alone. */
interface Pattern {
  readonly shape: Shape
  readonly keys: readonly string[]
  readonly slots: readonly Slot[]
}

const patterns = new WeakMap<object, Pattern>()

/** As `adoptWhole`; 0, and nothing done, where the object is not like the pattern. */
function adoptByPattern(object: object, { shape, keys, slots }: Pattern): number {
  if (addressOf(object) !== 0) return 0
  let seen = 0
  for (const key in object) if (key !== keys[seen++]) return 0
  if (seen !== keys.length) return 0
  for (let i = 0; i < keys.length; i++) {
    const value = (object as any)[keys[i]!] as unknown
    if (value !== undefined && !slots[i]!.type.takes(value)) return 0
  }
  const address = allocate(shape.bytes)
  for (let i = keys.length - 1; i >= 0; i--) {
    const { type, offset, key } = slots[i]!
    const value = (object as any)[key] as unknown
    if (value !== undefined) type.write(address + offset, value)
    delete (object as any)[key]
  }
  setAddress(object, address)
  return address
}

function notePattern(shape: Shape, prototype: object, keys: readonly PropertyKey[]): void {
  if (prototype !== shape.prototype || patterns.has(prototype) || keys.length === 0) return
  const slots = keys.map((key) => shape.slots.get(key)!)
  if (keys.some((key, i) => typeof key !== 'string' || !slots[i])) return
  if ([...shape.slots.values()].some(({ backing }) => backing)) return
  patterns.set(prototype, { shape, keys: keys as string[], slots })
}

/** The long way: adopts whatever the object has, or says what is wrong with it. Also for what was adopted before. */
export function adoptWhole(object: object): number {
  const shape = shapeOf(object)
  if (!shape || Object.hasOwn(object, 'constructor')) {
    throw new TypeError('A method of a free-threaded class was called on something that is no instance of it.')
  }
  const free = checkClass(object, shape)
  const keys = Reflect.ownKeys(object)
  const values: unknown[] = []
  const slots: Slot[] = []
  let moved = 0
  for (const key of keys) {
    const slot = shape.slots.get(key)
    if (slot) {
      moved++
      collect(shape, slot, (object as any)[key], slots, values)
    } else if (shape.perThread.has(key)) moved++
    else if (free) throw strayField(object, shape, key)
  }
  for (const slot of shape.slots.values()) {
    if (slot.backing && addressOf(object) <= 0) collect(shape, slot, readBacking(slot, object), slots, values)
  }
  const address = Math.abs(addressOf(object)) || allocate(shape.bytes)
  if (addressOf(object) === 0) notePattern(shape, Object.getPrototypeOf(object) as object, keys)
  for (let i = 0; i < slots.length; i++) slots[i]!.type.write(address + slots[i]!.offset, values[i])
  const own: [PropertyKey, unknown][] = []
  if (moved > 0) {
    for (let i = keys.length - 1; i >= 0; i--) {
      const key = keys[i]!
      if (shape.perThread.has(key)) own.push([key, (object as any)[key]])
      else if (!shape.slots.has(key)) continue
      delete (object as any)[key]
    }
  }
  setAddress(object, address)
  // An initialiser's value is this thread's own; `undefined` is what a compiler defines for none.
  for (const [key, value] of own) if (value !== undefined) (object as any)[key] = value
  return address
}

/** The address, adopting the object if that has not been done. */
export function blockOf(object: object): number {
  const address = addressOf(object)
  return address > 0 ? address : adopt(object)
}

function collect(shape: Shape, slot: Slot, value: unknown, slots: Slot[], values: unknown[]): void {
  if (value === undefined) return
  if (!slot.type.takes(value)) throw misfit(`${shape.name}.${slot.label}`, slot.typeName, value)
  slots.push(slot)
  values.push(value)
}

function readBacking(slot: Slot, object: object): unknown {
  try {
    return slot.backing!.get.call(object)
  } catch {
    return undefined // made without its constructor
  }
}

const checked = new WeakSet<object>()

/** Whether the object is free-threaded; false where a subclass narrowed the model. */
function checkClass(object: object, shape: Shape): boolean {
  const prototype = Object.getPrototypeOf(object) as object
  if (prototype === shape.prototype) return true
  if (!isFreeHere(prototype)) return false
  if (checked.has(prototype)) return true
  for (let at = prototype; at !== shape.prototype; at = Object.getPrototypeOf(at) as object) {
    const member = Reflect.ownKeys(at).find((key) => key !== 'constructor')
    if (member !== undefined) throw undecorated(object, shape, member)
  }
  checked.add(prototype)
  return true
}

function undecorated(object: object, shape: Shape, member: PropertyKey): FlatshareError {
  const name = object.constructor.name || 'A class'
  return new FlatshareError(
    `${name} extends the free-threaded ${shape.name} and adds ${label(member)}, but is not decorated itself: ` +
      'put @FreeThreaded() on it too.',
  )
}

function strayField(object: object, shape: Shape, key: PropertyKey): FlatshareError {
  if (Object.getPrototypeOf(object) !== shape.prototype) return undecorated(object, shape, key)
  return new FlatshareError(
    `${shape.name}.${label(key)} is neither shared nor per-thread, so other threads would not see it: ` +
      'decorate it with @Shared(type) or @PerThread().',
  )
}
