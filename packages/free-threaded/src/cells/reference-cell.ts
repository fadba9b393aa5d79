/** References to other free-threaded objects, which the cell keeps alive. */
import { FlatshareError } from '@flatshare/core'
import { modelRecord, u32 } from '@flatshare/core/internal'
import { addressOf } from '../handle.js'
import { objectAt, release, retain } from '../heap/index.js'
import { share } from '../marshaling.js'
import { type Shape, shapeOf } from '../shape.js'
import type { CellType, Owning } from './cell-type.js'
import { clearOwned, replaceOwned } from './owning-cell.js'
import type { ReferenceType } from './reference-type.js'
import { mix } from './scalars.js'

const owning: Owning<object | null, number> = {
  prepare: (value) => (value === null ? 0 : addressToShare(value)),
  make(address) {
    if (address !== 0) retain(address)
    return address
  },
  drop(address) {
    if (address !== 0) release(address)
  },
}

/** What was shared before can't have changed since. */
function addressToShare(object: object): number {
  const address = addressOf(object)
  return address > 0 && !Object.isExtensible(object) ? address : share(object)
}

const common = {
  bytes: 4,
  align: 4,
  owns: 'ref',
  isScalar: false,
  valueType: 'object',
  owning,
  read: (address) => objectAt(u32[address >> 2]!),
  readCached: (address) => objectAt(u32[address >> 2]!),
  write: (address, value) => replaceOwned(owning, address, value),
  clear: (address) => clearOwned(owning, address),
  hash: (value) => mix(value === null ? 0 : addressToShare(value)),
  equalsAt: (address, value) => u32[address >> 2]! === (value === null ? 0 : addressOf(value)),
  hashAt: (address) => mix(u32[address >> 2]!),
} satisfies Partial<CellType<object | null>>

/** For a class, or a function that gives it; it is asked for when the type is used first. */
export function referenceCell({ classOf }: ReferenceType<object>): CellType<object | null> {
  let name: string | undefined
  let Class: Function | undefined
  const resolved = () => (Class ??= freeClass(classOf))
  const type: CellType<object | null> = {
    ...common,
    get name() {
      return (name ??= `ref ${shapeOf(resolved().prototype as object)!.name}`)
    },
    get range() {
      return `${article(type.name.slice(4))} or null`
    },
    takes: (value): value is object | null =>
      value === null || (typeof value === 'object' && value instanceof resolved() && shapeOf(value) !== undefined),
  }
  return type
}

/** For the class of that name, as far as this thread knows it. */
export function referenceCellNamed(name: string): CellType<object | null> {
  return {
    ...common,
    name: `ref ${name}`,
    range: `${article(name)} or null`,
    takes: (value): value is object | null => value === null || (typeof value === 'object' && isNamed(value, name)),
  }
}

function isNamed(value: object, name: string): boolean {
  for (let at: Shape | undefined = shapeOf(value); at; at = at.parent) if (at.name === name) return true
  return false
}

function freeClass(classOf: () => unknown): Function {
  let Class: unknown
  try {
    Class = classOf()
  } catch (error) {
    throw new FlatshareError(`ref(() => …) can't give its class yet: ${(error as Error).message}.`, { cause: error })
  }
  if (typeof Class !== 'function') {
    throw new FlatshareError(
      `ref(() => …) gave ${String(Class)} instead of a class: the module that has it is not evaluated yet, or doesn't ` +
        'export it.',
    )
  }
  if (Class.prototype && shapeOf(Class.prototype as object)) return Class
  const model = modelRecord(Class)?.model
  throw new FlatshareError(
    `ref(${Class.name}): ${Class.name} is ${model ? `${model}-threaded` : 'not free-threaded'}, and a shared field can only ` +
      'refer to objects that any thread may use: put @FreeThreaded() on it.',
  )
}

const article = (name: string): string => `${/^[AEIOU]/.test(name) ? 'an' : 'a'} ${name}`
