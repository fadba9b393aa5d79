/**
 * Moving an object's state into shared memory.
 *
 * A constructor leaves the fields in one of three places, as its compiler likes it: in own properties
 * (fields are *defined*), behind the prototype's setters (they are *assigned*), or in hidden fields
 * (members declared with `accessor`). The first use of the object (a method, `marshal`, `locked`) *adopts*
 * it: takes the values from wherever they are, checks all, and only then moves them. Until then nobody
 * else can hold the object, so nothing is lost.
 *
 * Objects that it refers to, and those that they refer to, are adopted with it: all of them are looked at
 * before the first is moved. What fails, a value or memory, leaves each as it was.
 *
 *   plan      read the values, check them, encode what has to be    may throw, may run a program's code
 *   take      delete the own properties                             may throw, as the next: then they are put back
 *   make      a block each, marked as early; value blocks
 *   move      store everything, settle                              can't fail
 */
import { FlatshareError } from '@flatshare/core'
import { isProxy } from '@flatshare/core/internal'
import { adoptByPattern, clearBacking, notePattern, putBack, readBacking, store } from './adoption-pattern.js'
import { type CellType, misfit, type Owning, withMember } from './cells/cell-type.js'
import { makeAll } from './cells/owning-cell.js'
import { addressOf, DISPOSED, settleAddress } from './handle.js'
import { intern, makeBlock } from './heap/index.js'
import { noteCrossing } from './images.js'
import { isFreeHere, label, type Shape, type Slot, shapeOf } from './shape.js'

/**
 * The address of the object's block, with all state in it.
 *
 * @throws FlatshareError for state that is neither shared nor per-thread, for undecorated subclasses, and
 * for an object that was disposed of.
 * @throws TypeError, RangeError for a value that its field doesn't take.
 * @throws HeapFullError, and the object is as it was.
 */
export function adopt(object: object): number {
  if (addressOf(object) === 0) refuseStandIn(object)
  return adoptByPattern(object) || adoptWhole(object)
}

/** @throws FlatshareError for what would become another object, with state of its own. */
export function refuseStandIn(object: object): void {
  const name = shapeOf(object)?.name ?? 'object'
  if (isProxy(object)) {
    throw new FlatshareError(
      `A Proxy around a free-threaded ${name} is not that object: its fields can't be found through it. Call the object ` +
        'itself; reactive state and mocks can keep it as it is.',
    )
  }
  if (addressOf(Object.getPrototypeOf(object) as object) !== 0) {
    throw new FlatshareError(`Object.create of a free-threaded ${name} is not that object. Call the object itself.`)
  }
}

/** What is to be done for one object. */
interface Plan {
  readonly object: object
  readonly shape: Shape
  readonly keys: readonly PropertyKey[]
  /** Fields with a value in the object, and those values. */
  readonly slots: Slot[]
  readonly values: unknown[]
  /** The values of owning fields, prepared; others undefined. References are prepared when all have blocks. */
  readonly prepared: unknown[]
  /** The own properties that went, in their order. */
  readonly taken: [key: PropertyKey, value: unknown][]
}

/** The long way: adopts whatever the object has, or says what is wrong with it. Also for what was adopted before. */
export function adoptWhole(object: object): number {
  const plans = [planFor(object)]
  const planned = new Set([object])
  const referred = new Set<object>()
  // Not by recursion: a list may be long.
  for (let i = 0; i < plans.length; i++) {
    for (const child of unsettledIn(plans[i]!)) {
      if (referred.has(child)) continue
      referred.add(child)
      requireOwnClass(child)
      if (planned.has(child)) continue
      planned.add(child)
      plans.push(planFor(child))
    }
  }
  for (const plan of plans) prepare(plan, planned)
  try {
    for (const plan of plans) take(plan)
    for (const { object, shape } of plans) if (addressOf(object) === 0) makeBlock(object, shape.typeId(), true)
    makePlanned(plans, planned)
  } catch (error) {
    for (const { object, taken } of plans) for (const [key, value] of taken) putBack(object, key, value)
    throw error
  }
  for (const plan of plans) move(plan)
  for (const each of referred) {
    // Other threads may find it by what refers to it.
    Object.preventExtensions(each)
    intern(addressOf(each), each)
  }
  for (const each of referred) noteCrossing(each, addressOf(each))
  return addressOf(object)
}

/** The address, adopting the object if that has not been done. */
export function blockOf(object: object): number {
  const address = addressOf(object)
  return address > 0 ? address : adopt(object)
}

function planFor(object: object): Plan {
  const shape = shapeOf(object)
  if (!shape || Object.hasOwn(object, 'constructor')) {
    throw new TypeError('A method of a free-threaded class was called on something that is no instance of it.')
  }
  if (addressOf(object) === DISPOSED) {
    throw new FlatshareError(
      `This ${shape.name} was disposed of on this thread: it can't be used here any more. Threads that have it go on.`,
    )
  }
  if (addressOf(object) === 0) refuseStandIn(object)
  const free = checkClass(object, shape)
  const keys = Reflect.ownKeys(object)
  const plan: Plan = { object, shape, keys, slots: [], values: [], prepared: [], taken: [] }
  for (const key of keys) {
    const slot = shape.slots.get(key)
    if (slot) collect(plan, slot, (object as any)[key])
    else if (free && !shape.perThread.has(key)) throw strayField(object, shape, key)
  }
  if (addressOf(object) <= 0) {
    for (const slot of shape.slots.values()) if (slot.backing) collect(plan, slot, readBacking(slot, object))
  }
  return plan
}

function collect({ shape, slots, values }: Plan, slot: Slot, value: unknown): void {
  if (value === undefined) return
  if (!slot.type.takes(value)) throw misfit(`${shape.name}.${slot.label}`, slot.type, value)
  slots.push(slot)
  values.push(value)
}

/** Free-threaded objects that it refers to and whose state has not moved. */
function* unsettledIn({ slots, values }: Plan): Generator<object> {
  for (let i = 0; i < slots.length; i++) {
    const value = values[i]
    if (slots[i]!.type.owns === 'ref' && value !== null && addressOf(value as object) <= 0) yield value as object
  }
}

function prepare({ shape, slots, values, prepared }: Plan, planned: ReadonlySet<object>): void {
  for (let i = 0; i < slots.length; i++) {
    const { label, type } = slots[i]!
    const isPlanned = type.owns === 'ref' && planned.has(values[i] as object)
    try {
      prepared.push(type.owning && !isPlanned ? type.owning.prepare(values[i]) : undefined)
    } catch (error) {
      throw withMember(`${shape.name}.${label}`, error)
    }
  }
}

/** Makes what the owning fields of all plans own, and stores it. */
function makePlanned(plans: readonly Plan[], planned: ReadonlySet<object>): void {
  const types: Owning[] = []
  const prepared: unknown[] = []
  const cells: [address: number, slot: Slot][] = []
  for (const { object, slots, values, prepared: own } of plans) {
    const address = Math.abs(addressOf(object))
    for (let i = 0; i < slots.length; i++) {
      const { owns, owning } = slots[i]!.type
      if (!owning) continue
      const isPlanned = owns === 'ref' && planned.has(values[i] as object)
      types.push(owning)
      prepared.push(isPlanned ? Math.abs(addressOf(values[i] as object)) : own[i])
      cells.push([address, slots[i]!])
    }
  }
  if (types.length > 0) makeAll(types, prepared, (i, content) => store(cells[i]![0], cells[i]![1], content))
}

/** Takes the own properties away; before the object is linked to its block, or V8 would give it slow ones. */
function take({ object, shape, keys, taken }: Plan): void {
  if (addressOf(object) <= 0) notePattern(shape, Object.getPrototypeOf(object) as object, keys)
  for (let i = keys.length - 1; i >= 0; i--) {
    const key = keys[i]!
    if (!shape.perThread.has(key) && !shape.slots.has(key)) continue
    const value = (object as any)[key] as unknown
    if (!Reflect.deleteProperty(object, key)) throw fixedField(shape, key)
    taken.unshift([key, value])
  }
}

function move({ object, shape, slots, values, taken }: Plan): void {
  const address = Math.abs(addressOf(object))
  for (let i = 0; i < slots.length; i++) {
    const { type, offset }: { type: CellType; offset: number } = slots[i]!
    if (type.owns === 'nothing') type.write(address + offset, values[i])
  }
  clearBacking(object, slots)
  settleAddress(object)
  // An initialiser's value is this thread's own; `undefined` is what a compiler defines for none.
  for (const [key, value] of taken) if (value !== undefined && shape.perThread.has(key)) (object as any)[key] = value
}

function fixedField(shape: Shape, key: PropertyKey): FlatshareError {
  return new FlatshareError(
    `${shape.name}.${label(key)} can't move to shared memory, for the object was frozen or sealed, or the field made ` +
      'non-configurable, before its first method ran.',
  )
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

/** @throws FlatshareError for an instance of an undecorated subclass, which would arrive as its parent's. */
export function requireOwnClass(object: object): void {
  const shape = shapeOf(object)
  if (!shape || Object.getPrototypeOf(object) === shape.prototype) return
  throw new FlatshareError(
    `${object.constructor.name} extends the free-threaded ${shape.name} but is not decorated itself, so it would ` +
      `arrive as ${shape.name}: put @FreeThreaded() on it too.`,
  )
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
