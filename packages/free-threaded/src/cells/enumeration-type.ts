/**
 * One of a few values, strings or the numbers of a TypeScript `enum`. A cell holds the value's place in
 * the list, so it takes one byte for up to 256 values.
 */
import type { CellType } from './cell-type.js'
import { mix, scalarTypes } from './scalars.js'
import type { EnumObject } from './value-types.js'

/** Made by `enumeration`. */
export class EnumerationType<V extends string | number> {
  constructor(
    /** All values, in the order in which they were given; an unset field has the first. */
    readonly values: readonly V[],
  ) {
    Object.freeze(values)
  }
}

/**
 * A type whose values are the given strings, or the values of a TypeScript `enum`. A field that was given
 * no value has the first one.
 *
 * @throws TypeError for no values at all, one that comes twice, and what is neither string nor number.
 * @example
 * class Door { @Shared(enumeration('open', 'closed')) state: 'open' | 'closed' = 'closed' }
 */
export function enumeration<const V extends string>(...values: readonly [V, ...V[]]): EnumerationType<V>
export function enumeration<const E extends EnumObject>(type: E): EnumerationType<E[keyof E]>
export function enumeration(...given: readonly unknown[]): EnumerationType<string | number> {
  const [first] = given
  const values = typeof first === 'object' && first !== null ? valuesOfEnum(first as EnumObject) : given
  return new EnumerationType(checkedValues(values))
}

/** The values of an `enum`, without the names that TypeScript adds for its numbers. */
function valuesOfEnum(type: EnumObject): (string | number)[] {
  const names = Object.keys(type).filter(
    (name) => !(typeof type[name] === 'string' && type[type[name]] === Number(name)),
  )
  // An enum may give one value several names.
  return [...new Set(names.map((name) => type[name]!))]
}

function checkedValues(values: readonly unknown[]): (string | number)[] {
  if (values.length === 0) throw new TypeError('An enumeration needs at least one value.')
  const seen = new Set<unknown>()
  for (const value of values) {
    const isValue = typeof value === 'string' || (typeof value === 'number' && Number.isFinite(value))
    if (!isValue)
      throw new TypeError(`The values of an enumeration are strings, or those of an enum; not ${String(value)}.`)
    if (seen.has(value)) throw new TypeError(`${JSON.stringify(value)} comes twice in an enumeration.`)
    seen.add(value)
  }
  return values as (string | number)[]
}

/** As it stands in layouts; one text never stands for two values. */
const shown = (value: string | number): string =>
  typeof value === 'string' && !/^[\p{L}_][\p{L}\p{N}_-]*$/u.test(value) ? JSON.stringify(value) : String(value)

export function enumerationCell({ values }: EnumerationType<string | number>): CellType<string | number> {
  const name = `enum(${values.map(shown).join('|')})`
  const places = new Map(values.map((value, place) => [value, place]))
  const index = scalarTypes[values.length <= 0x100 ? 'u8' : values.length <= 0x10000 ? 'u16' : 'u32']
  const listed = values.slice(0, 12).map((value) => (typeof value === 'string' ? JSON.stringify(value) : value))
  const { bytes, align, read, readOutside, write, clear } = index
  return {
    name,
    bytes,
    align,
    owns: 'nothing',
    isScalar: true,
    range: `one of ${listed.join(', ')}${values.length > listed.length ? ', …' : ''}`,
    valueType: values.every((value) => typeof value === typeof values[0]) ? typeof values[0] : 'string',
    takes: (value): value is string | number => places.has(value as string),
    read: (address) => values[read(address)]!,
    readOutside: (address) => values[readOutside(address)]!,
    write: (address, value) => write(address, places.get(value)),
    clear,
    hash: (value) => mix(places.get(value) ?? -1),
    equalsAt: (address, value) => values[read(address)] === value,
    hashAt: (address) => mix(read(address)),
  }
}
