/**
 * How an object shows itself. Its fields are accessors on the prototype, so `Object.keys` gives none of
 * them; `console.log` and `JSON.stringify` show them, by these two methods, unless the class has its own.
 * Fields are read one by one, without the lock: looking never blocks.
 */
import { type Shape, shapeOf } from './shape.js'

const INSPECT = Symbol.for('nodejs.util.inspect.custom')

export function showFields({ prototype }: Shape): void {
  if (!(INSPECT in prototype)) hide(prototype, INSPECT, inspectFields)
  if (!('toJSON' in prototype)) hide(prototype, 'toJSON', fieldsOf)
}

function hide(prototype: object, key: PropertyKey, value: unknown): void {
  Object.defineProperty(prototype, key, { value, writable: true, configurable: true })
}

function fieldsOf(this: object): Record<PropertyKey, unknown> {
  const fields: Record<PropertyKey, unknown> = {}
  for (const key of shapeOf(this)?.slots.keys() ?? []) fields[key] = (this as any)[key]
  return fields
}

function inspectFields(
  this: object,
  depth: number,
  options: object,
  inspect: (x: unknown, options: object) => string,
): string {
  const name = shapeOf(this)!.name
  if (depth < 0) return `[${name}]`
  return `${name} ${inspect(fieldsOf.call(this), options)}`
}
