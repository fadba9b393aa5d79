/** From what a program names as a type to what the type can do. */
import { FlatshareError } from '@flatshare/core'
import { arrayCell } from './array-cell.js'
import { ArrayType } from './array-type.js'
import { bytesCell } from './bytes-cell.js'
import type { CellType } from './cell-type.js'
import { EnumerationType, enumeration, enumerationCell } from './enumeration-type.js'
import { jsonCell } from './json-cell.js'
import { lockCell, lockCellNamed } from './lock-cell.js'
import { referenceCell, referenceCellNamed } from './reference-cell.js'
import { ReferenceType, ref } from './reference-type.js'
import { isScalarName, scalarTypes } from './scalars.js'
import { stringCell } from './string-cell.js'
import type { NumberTypeName, SharedType } from './value-types.js'

const named = new Map<string, CellType>([stringCell, bytesCell, jsonCell].map((type) => [type.name, type]))

/** The same name, the same cell type. */
function interned(type: CellType): CellType {
  const known = named.get(type.name)
  if (!known) named.set(type.name, type)
  return known ?? type
}

const ARRAY = /^([iuf]\d\d?)\[(\d+)\]$/

/**
 * What the type can do. `where` names the field or container, for errors.
 *
 * @throws FlatshareError for a type that doesn't exist.
 */
export function cellTypeOf(type: SharedType, where: string): CellType {
  const found = findCellType(type, where)
  if (found) return found
  throw new FlatshareError(
    `${shownType(type)} on ${where}: there is no such type. The types are ${Object.keys(scalarTypes).join(', ')}, ` +
      "string, bytes, json, 'u32[24]' (any number type, any length), enumeration(…) and ref(Class).",
  )
}

function findCellType(type: unknown, where: string): CellType | undefined {
  if (typeof type === 'string')
    return isScalarName(type) ? scalarTypes[type] : (named.get(type) ?? arrayNamed(type, where))
  try {
    if (type instanceof ArrayType) return interned(arrayCell(type))
    if (type instanceof EnumerationType) return interned(enumerationCell(type))
    if (type instanceof ReferenceType) return lockCell(type) ?? referenceCell(type)
    if (typeof type === 'function') return findCellType(ref(type as never), where)
    if (Array.isArray(type)) return interned(enumerationCell(enumeration(...(type as [string]))))
    if (typeof type === 'object' && type !== null && isEnum(type)) {
      return interned(enumerationCell(enumeration(type as Record<string, string>)))
    }
  } catch (error) {
    throw refused(type, where, error)
  }
  return undefined
}

function arrayNamed(type: string, where: string): CellType | undefined {
  const [, of, length] = ARRAY.exec(type) ?? []
  if (of === undefined || !isScalarName(of)) return undefined
  try {
    return interned(arrayCell(new ArrayType(of as NumberTypeName, Number(length))))
  } catch (error) {
    throw refused(type, where, error)
  }
}

function refused(type: unknown, where: string, error: unknown): FlatshareError {
  return new FlatshareError(
    `${shownType(type)} on ${where}: ${error instanceof Error ? error.message : String(error)}`,
    {
      cause: error,
    },
  )
}

const isEnum = (type: object): boolean => {
  const values = Object.values(type)
  return values.length > 0 && values.every((value) => typeof value === 'string' || typeof value === 'number')
}

function shownType(type: unknown): string {
  if (typeof type === 'string') return `@Shared('${type}')`
  return `@Shared(${typeof type === 'function' ? type.name : typeof type === 'object' ? 'an object' : String(type)})`
}

/**
 * The type with this name, as it stands in the layout of an object that another thread made. A class that
 * it names is looked up when a value is read or written.
 *
 * @throws FlatshareError for a name that this copy of the package doesn't know.
 */
export function cellTypeNamed(name: string): CellType {
  const found = findCellType(name, 'an object of another thread')
  if (found) return found
  if (name.startsWith('ref ')) return interned(referenceCellNamed(name.slice(4)))
  if (name.startsWith('lock ')) return interned(lockCellNamed(name.slice(5)))
  if (name.startsWith('enum(')) return interned(enumerationCell(new EnumerationType(valuesNamed(name))))
  throw new FlatshareError(
    `An object with values of the type ${name} arrived, and this thread doesn't know such a type: let all threads load ` +
      'one version of @flatshare/free-threaded.',
  )
}

/** The values in the name of an enumeration, which `enumerationCell` wrote. */
function valuesNamed(name: string): (string | number)[] {
  const parts = name.slice('enum('.length, -1).match(/"(?:[^"\\]|\\.)*"|[^|]+/g) ?? []
  return parts.map((part) => {
    if (part.startsWith('"')) return JSON.parse(part) as string
    return /^[\d-]/.test(part) ? Number(part) : part
  })
}
