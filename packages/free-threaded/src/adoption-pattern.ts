/**
 * Adopting objects that are like the last one of their class.
 *
 * Listing an object's own keys costs as much as all the rest, so what a class's constructor leaves is
 * remembered as a *pattern*, and a `for … in` (which sees strings only, and costs next to nothing) tells
 * whether the next object has it.
 *
 * Own properties are deleted last to first, before the object is linked to its block: then V8 goes back to
 * the layout of the empty object, instead of turning the object into a dictionary.
 */
import { u32 } from '@flatshare/core/internal'
import type { Owning } from './cells/cell-type.js'
import { makeAll } from './cells/owning-cell.js'
import { addressOf, DISPOSED, settleAddress } from './handle.js'
import { makeBlock } from './heap/index.js'
import type { Shape, Slot } from './shape.js'

/** What the last object of a class had when it was adopted, if that was shared fields alone. */
interface Pattern {
  readonly shape: Shape
  /** Its own properties. */
  readonly keys: readonly string[]
  /** The fields of these, then those with hidden fields. */
  readonly slots: readonly Slot[]
  /** Which of them own something. */
  readonly owning: readonly number[]
}

const patterns = new WeakMap<object, Pattern>()
let lastPrototype: object | undefined
let lastPattern: Pattern | undefined

/** As `adoptWhole`; 0, and nothing done, where the object is not like the pattern of its class. */
export function adoptByPattern(object: object): number {
  const prototype = Object.getPrototypeOf(object) as object
  // Mostly the same class as the last one.
  if (prototype !== lastPrototype) {
    lastPattern = patterns.get(prototype)
    lastPrototype = lastPattern && prototype
  }
  return lastPattern ? adoptLike(object, lastPattern) : 0
}

function adoptLike(object: object, { shape, keys, slots, owning }: Pattern): number {
  const linked = addressOf(object)
  if (linked > 0 || linked === DISPOSED || !Object.isExtensible(object)) return 0
  let seen = 0
  for (const key in object) if (key !== keys[seen++]) return 0
  if (seen !== keys.length) return 0
  const values: unknown[] = []
  for (let i = 0; i < slots.length; i++) {
    const value = i < keys.length ? ((object as any)[keys[i]!] as unknown) : readBacking(slots[i]!, object)
    const { type } = slots[i]!
    if (value !== undefined && !type.takes(value)) return 0
    // Objects that it refers to may need to be adopted with it.
    if (type.owns === 'ref' && value !== undefined && value !== null && addressOf(value as object) <= 0) return 0
    values.push(value)
  }
  const owned = owning.length === 0 ? undefined : prepareOwned(slots, values, owning)
  let address = -linked
  try {
    for (let i = keys.length - 1; i >= 0; i--) delete (object as any)[keys[i]!]
    if (address === 0) address = makeBlock(object, shape.typeId(), true)
    if (owned) makeAll(owned.types, owned.prepared, (i, content) => store(address, owned.slots[i]!, content))
  } catch (error) {
    for (let i = 0; i < keys.length; i++) if (!Object.hasOwn(object, keys[i]!)) putBack(object, keys[i]!, values[i])
    // A field that can't be deleted: the long way says so.
    if (address === 0 && error instanceof TypeError) return 0
    throw error
  }
  for (let i = 0; i < slots.length; i++) {
    const { type, offset } = slots[i]!
    if (type.owns === 'nothing' && values[i] !== undefined) type.write(address + offset, values[i])
  }
  if (keys.length < slots.length) clearBacking(object, slots)
  settleAddress(object)
  return address
}

/** Undefined where there is nothing to make. */
function prepareOwned(slots: readonly Slot[], values: readonly unknown[], owning: readonly number[]) {
  const types: Owning[] = []
  const prepared: unknown[] = []
  const found: Slot[] = []
  for (const i of owning) {
    const { owning: steps, owns, name } = slots[i]!.type
    const value = values[i]
    if (value === undefined || (value === '' && name === 'string') || (value === null && owns === 'ref') || !steps)
      continue
    types.push(steps)
    prepared.push(steps.prepare(value))
    found.push(slots[i]!)
  }
  return types.length === 0 ? undefined : { types, prepared, slots: found }
}

/** Remembers what the object has, before any of it is taken away. */
export function notePattern(shape: Shape, prototype: object, keys: readonly PropertyKey[]): void {
  if (prototype !== shape.prototype || patterns.has(prototype)) return
  const slots = keys.map((key) => shape.slots.get(key)!)
  if (keys.some((key, i) => typeof key !== 'string' || !slots[i])) return
  for (const slot of shape.slots.values()) if (slot.backing && !slots.includes(slot)) slots.push(slot)
  const owning = slots.flatMap(({ type }, i) => (type.owns === 'nothing' ? [] : [i]))
  patterns.set(prototype, { shape, keys: keys as string[], slots, owning })
}

/** Stores what a cell owns from now on; gives what it owned before, or 0. In a section. */
export function store(address: number, { offset }: Slot, content: number): number {
  const index = (address + offset) >> 2
  const before = u32[index]!
  u32[index] = content
  return before
}

/** Undoes the deletion of an own property. */
export function putBack(object: object, key: PropertyKey, value: unknown): void {
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
}

export function readBacking(slot: Slot, object: object): unknown {
  try {
    return slot.backing!.get.call(object)
  } catch {
    return undefined // made without its constructor
  }
}

/** Hidden fields must not keep alive what shared memory has now. */
export function clearBacking(object: object, slots: readonly Slot[]): void {
  for (const { backing, type } of slots) {
    if (!backing || type.owns === 'nothing') continue
    try {
      backing.set.call(object, undefined)
    } catch {
      // Hand-written, and takes no such value.
    }
  }
}
