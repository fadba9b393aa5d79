/**
 * What makes a class a container: a free-threaded class whose objects' storage the heap knows by its kind, instead of
 * by fields. Its methods are written without a thought of locks, and wrapped as those of any free-threaded class.
 */
import { FlatshareError } from '@flatshare/core'
import { declareModel, i32 } from '@flatshare/core/internal'
import type { CellType } from '../cells/cell-type.js'
import { cellTypeOf } from '../cells/types.js'
import type { SharedType } from '../cells/value-types.js'
import { makeShape } from '../class-shape.js'
import { letDispose } from '../dispose.js'
import { addressOf, attachmentOf, DISPOSED } from '../handle.js'
import { TYPE } from '../heap/block.js'
import { makeBlock, registerKind, registerType, type TypeInfo, typeAt } from '../heap/index.js'
import { crossAsFree } from '../marshaling.js'
import { wrapMembers } from '../methods.js'
import { setShape, shapeOf } from '../shape.js'
import { CONTAINER_BYTES, type Visitor } from './storage.js'

/** What a container's class does beside its methods. */
interface ContainerTraits {
  /** Members that take no lock: they call those that do, or run the program's code. */
  readonly unlocked: readonly PropertyKey[]
  /** Tells the heap of all that an object at an address owns. It must not throw. */
  owned(address: number, visit: Visitor): void
  /** Makes an object whole after a thread died inside; its lock is held. */
  mend(address: number): void
}

/** Makes a class a container. */
export function defineContainer(Class: Function, { unlocked, owned, mend }: ContainerTraits): void {
  const { name } = Class
  const prototype = Class.prototype as object
  declareModel(Class, 'free', { name })
  const shape = makeShape(Class, name, new Map(), '', { onAbandoned: (object: object) => mend(addressOf(object)) })
  Object.assign(shape, {
    isContainer: true,
    typeId() {
      throw new TypeError(`A ${name} is made by its constructor.`)
    },
  })
  wrapMembers(shape, new Map(), new Set(unlocked))
  setShape(shape)
  letDispose(shape)
  crossAsFree(prototype)
  registerKind(name, { attach: () => Object.create(prototype) as object, owned })
}

/** Makes the block of a new container. `layout` is what threads must agree on: the names of types and the like. */
export function makeContainer(object: object, name: string, layout: readonly unknown[]): number {
  const type = registerType({
    kind: name,
    name,
    layout: JSON.stringify(layout),
    module: '',
    bytes: CONTAINER_BYTES,
    refs: [],
    values: [],
    readers: [],
  })
  return makeBlock(object, type)
}

/**
 * What is made for each type of a class's containers, by the layout that `makeContainer` was given; found by a
 * container's address. A method of the class that was called on something else, with a block of another kind, ends here.
 */
export function byType<T>(kind: string, make: (...layout: any[]) => T): (address: number) => T {
  const known: T[] = []
  const learn = (info: TypeInfo): T => {
    if (info.kind !== kind) throw calledOnOther(kind)
    return (known[info.id] = make(...(JSON.parse(info.layout) as unknown[])))
  }
  return (address) => known[i32[(address + TYPE) >> 2]] ?? learn(typeAt(address))
}

const calledOnOther = (name: string): TypeError =>
  new TypeError(`A method of ${name} was called on something that is no ${name}.`)

/** What this thread has decoded of a container's contents. */
export function cacheOf(object: object): unknown[] {
  const hold = attachmentOf(object)!
  return (hold.cache ??= [])
}

/**
 * @throws FlatshareError when this thread has disposed of the container.
 * @throws TypeError for what is no container of that class.
 */
export function linkedAddress(object: object, name: string): number {
  if (typeof object !== 'object' || object === null || shapeOf(object)?.name !== name) throw calledOnOther(name)
  const address = addressOf(object)
  if (address > 0) return address
  if (address === DISPOSED) throw new FlatshareError(`This ${name} was disposed of on this thread.`)
  throw calledOnOther(name)
}

/** @throws TypeError, FlatshareError for what is no type. */
export function checkedType(type: unknown, where: string): CellType {
  if (type === undefined) throw new TypeError(`${where} needs a type, such as 'string' or 'f64'.`)
  return cellTypeOf(type as SharedType, where)
}

/** @throws TypeError for a type whose values can't be found again. */
export function checkedKeyType(type: unknown, where: string): CellType {
  const found = checkedType(type, where)
  if (found.hash && found.equalsAt) return found
  throw new TypeError(
    `${where} can't be ${found.name}: keys are numbers, bigints, booleans, enumerations, strings or references.`,
  )
}

/** @throws TypeError for what is no object of options. */
export function checkedOptions<T extends object>(options: unknown, example: string): T {
  if (typeof options === 'object' && options !== null) return options as T
  throw new TypeError(`The types are told when it is made: ${example}.`)
}

/** @throws TypeError for what is no function. */
export function checkedFunction(fn: unknown, member: string): void {
  if (typeof fn !== 'function') throw new TypeError(`${member} takes a function, not ${String(fn)}.`)
}

/** What a fixed array is set to may be anything like an array: its getters must not run in the middle of things. */
export function withoutGetters(type: CellType, value: unknown): unknown {
  if (type.isScalar || type.owns !== 'nothing' || typeof value !== 'object' || value === null) return value
  return ArrayBuffer.isView(value) ? value : Array.from(value as ArrayLike<unknown>)
}
