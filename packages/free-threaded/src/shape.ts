/** What is known of a free-threaded class: its fields and where they lie; `class-shape.ts` works it out. */
import { modelRecord } from '@flatshare/core/internal'
import type { CellType } from './cells/cell-type.js'
import type { TypeId } from './heap/index.js'

/** A shared field. */
export interface Slot {
  readonly key: PropertyKey
  /** As errors and the layout name it. */
  readonly label: string
  readonly type: CellType
  /** Canonical: as the layout has it. */
  readonly typeName: string
  readonly offset: number
  /** Among the shape's own and inherited fields: 0, 1, … */
  readonly index: number
  /** The group whose lock guards it. */
  readonly group: Group
  /** The hidden field behind a member declared with `accessor`: its value until the object has a block. */
  readonly backing:
    | { readonly get: (this: object) => unknown; readonly set: (this: object, value: unknown) => void }
    | undefined
}

/** Fields and methods under one lock. */
export interface Group {
  /** As `@Guarded` names it; '' is the main one. */
  readonly name: string
  /** Where its lock lies in the block. */
  readonly lockOffset: number
  /** Where its scalars lie, from and to, in multiples of 4 bytes: also the bytes between them. */
  readonly ranges: readonly (readonly [from: number, to: number])[]
  /** Whether some member of it is `@Reads`. */
  readonly hasReaders: boolean
}

/** What the class decorator was told beside the members. */
export interface ShapeOptions {
  /** The module to load where the class is unknown. */
  readonly module?: string | undefined
  readonly onAbandoned?: ((object: any) => void) | undefined
}

export interface Shape {
  readonly Class: Function
  readonly name: string
  readonly prototype: object
  /** As `addressOf` of `handle.js`, for the class's own members: code that others don't share. */
  readonly addressOf: (object: object) => number
  readonly parent: Shape | undefined
  /** All shared fields, inherited ones too. */
  readonly slots: ReadonlyMap<PropertyKey, Slot>
  /** All groups, inherited ones too; '' is always there. */
  readonly groups: ReadonlyMap<string, Group>
  /** The block's size. */
  readonly bytes: number
  /** Two copies of a class can share objects if this is the same: entries, separated by ', '. */
  readonly layout: string
  /** The module that has the class, as far as the decorator or the runtime tells. */
  readonly module: string
  /** Whether the decorator named the module, so that a thread that doesn't know the class may load it. */
  readonly isLoadable: boolean
  /** Fields of which each thread has its own; inherited ones too. */
  readonly perThread: ReadonlySet<PropertyKey>
  /** Mends the state of an object after a thread died inside. */
  readonly onAbandoned: ((object: any) => void) | undefined
  /** Whether its objects are containers: the heap knows what they hold by their kind, not by fields. */
  readonly isContainer?: boolean
  /** The type of its objects in the heap; from now on nothing about the shape changes. */
  typeId(): TypeId
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

const ownAccessors = new WeakSet<Function>()

/** Tells our own accessors from a program's. */
export function noteOwnAccessor(getter: Function): void {
  ownAccessors.add(getter)
}

export function shapeOwnsAccessor(descriptor: PropertyDescriptor): boolean {
  return descriptor.get !== undefined && ownAccessors.has(descriptor.get)
}

/** Whether other threads may hold such objects themselves; a subclass may have narrowed the model. */
export function isFreeHere(prototype: object): boolean {
  return modelRecord((prototype as { constructor: Function }).constructor)?.model === 'free'
}
