/**
 * What is known of a free-threaded class: its fields and where they lie.
 *
 * A block is the object's lock, then the fields of the outermost parent, then those of each class below
 * it, so that inherited accessors fit. Within a class 8-byte fields come first, then 4, 2 and 1; among
 * equals the name decides, so that two threads agree however their copies of the class were compiled.
 */
import { FlatshareError } from '@flatshare/core'
import { type MemberNotes, modelRecord, ownMemberNotes } from '@flatshare/core/internal'
import { LOCK_BYTES } from '@flatshare/sync/internal'
import { type ScalarType, type SharedType, scalarTypes } from './scalar-types.js'

/** A shared field. */
export interface Slot {
  readonly key: PropertyKey
  /** As errors and the layout name it. */
  readonly label: string
  readonly typeName: SharedType
  readonly type: ScalarType
  readonly offset: number
  /** The hidden field behind a member declared with `accessor`: its value until the object has a block. */
  readonly backing:
    | { readonly get: (this: object) => unknown; readonly set: (this: object, value: unknown) => void }
    | undefined
}

export interface Shape {
  readonly Class: Function
  readonly name: string
  readonly prototype: object
  readonly parent: Shape | undefined
  /** All shared fields, inherited ones too. */
  readonly slots: ReadonlyMap<PropertyKey, Slot>
  /** The block's size. */
  readonly bytes: number
  /** Two copies of a class can share objects if this is the same. */
  readonly layout: string
  /** The module that decorated it, as far as the runtime tells. */
  readonly module: string
  /** Fields of which each thread has its own; inherited ones too. */
  readonly perThread: ReadonlySet<PropertyKey>
}

const SHAPE = Symbol('flatshare.free-threaded')

export function shapeOf(object: object): Shape | undefined {
  return (object as { [SHAPE]?: Shape })[SHAPE]
}

export function setShape(shape: Shape): void {
  Object.defineProperty(shape.prototype, SHAPE, { value: shape, configurable: true })
}

export function label(key: PropertyKey): string {
  return typeof key === 'symbol' ? `[${key.description ? key.toString() : 'Symbol()'}]` : String(key)
}

/** The classes that one decorator speaks for: `Class`, and the undecorated ones between it and its nearest free parent. */
export function classesOf(Class: Function): Function[] {
  const classes: Function[] = []
  let at: Function | null = Class
  while (typeof at === 'function' && at !== Function.prototype && (at === Class || !isFree(at))) {
    classes.push(at)
    at = Object.getPrototypeOf(at) as Function | null
  }
  return classes
}

function isFree(Class: Function): boolean {
  return Class.prototype !== undefined && Object.hasOwn(Class.prototype as object, SHAPE)
}

/** Works out the shape of a class that is being decorated. `notes` are its own; parents have theirs by now. */
export function makeShape(Class: Function, name: string, notes: MemberNotes, module: string): Shape {
  const prototype = Class.prototype as object
  const parent = shapeOf(Object.getPrototypeOf(prototype) as object)
  const slots = new Map(parent?.slots)
  const fresh = new Map<PropertyKey, Omit<Slot, 'offset'>>()
  // The lowest class last, so that what it says stands.
  for (const each of classesOf(Class).reverse()) {
    for (const [key, list] of each === Class ? notes : ownMemberNotes(each)) {
      for (const note of list) {
        if (note.decorator !== 'Shared') continue
        const typeName = note['type'] as SharedType
        const known = slots.get(key) ?? fresh.get(key)
        if (known && known.typeName !== typeName) {
          throw new FlatshareError(
            `${name}.${label(key)} can't be shared as ${typeName}: it is shared as ${known.typeName} already.`,
          )
        }
        const backing = backingOf(each.prototype as object, key, name)
        if (!known || backing)
          fresh.set(key, { key, label: label(key), typeName, type: scalarTypes[typeName], backing })
      }
    }
  }
  let end = parent?.bytes ?? LOCK_BYTES
  const sorted = [...fresh.values()].sort((a, b) => b.type.bytes - a.type.bytes || (a.label < b.label ? -1 : 1))
  for (const field of sorted) {
    const inherited = slots.get(field.key)
    const offset = inherited?.offset ?? Math.ceil(end / field.type.bytes) * field.type.bytes
    slots.set(field.key, { ...field, offset })
    if (!inherited) end = offset + field.type.bytes
  }
  const layout = [...slots.values()]
    .sort((a, b) => a.offset - b.offset)
    .map((slot) => `${slot.label}:${slot.typeName}`)
    .join(' ')
  let perThread: Set<PropertyKey> | undefined
  const shape: Shape = {
    Class,
    name,
    prototype,
    parent,
    slots,
    bytes: end,
    layout,
    module,
    // Late: a decorator above this one may still add to them.
    get perThread() {
      return (perThread ??= perThreadFields(Class, notes, parent))
    },
  }
  return shape
}

function perThreadFields(Class: Function, notes: MemberNotes, parent: Shape | undefined): Set<PropertyKey> {
  const keys = new Set(parent?.perThread)
  const note = (all: MemberNotes) => {
    for (const [key, list] of all) if (list.some(({ decorator }) => decorator === 'PerThread')) keys.add(key)
  }
  for (const each of classesOf(Class)) note(ownMemberNotes(each))
  note(notes)
  return keys
}

function backingOf(prototype: object, key: PropertyKey, name: string): Slot['backing'] {
  const found = Object.getOwnPropertyDescriptor(prototype, key)
  if (!found || shapeOwnsAccessor(found)) return undefined
  if (found.get && found.set) return { get: found.get, set: found.set }
  throw new FlatshareError(
    `@Shared can't decorate ${name}.${label(key)}: it is a method or a lone getter or setter, not a field.`,
  )
}

const ownAccessors = new WeakSet<Function>()

/** Tells our own accessors from a program's. */
export function noteOwnAccessor(getter: Function): void {
  ownAccessors.add(getter)
}

function shapeOwnsAccessor(descriptor: PropertyDescriptor): boolean {
  return descriptor.get !== undefined && ownAccessors.has(descriptor.get)
}

/** Whether other threads may hold such objects themselves; a subclass may have narrowed the model. */
export function isFreeHere(prototype: object): boolean {
  return modelRecord((prototype as { constructor: Function }).constructor)?.model === 'free'
}
