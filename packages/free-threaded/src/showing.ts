/**
 * Objects that are being shown or turned into JSON at this moment, outermost first: free-threaded objects may refer to
 * each other in a circle.
 *
 * `JSON.stringify` finds circles among the objects that it is given, and `toJSON` gives it a new one each time. So the
 * objects that an object refers to are turned into JSON along with it, not later: then this module sees the circle.
 */
import { shapeOf } from './shape.js'

const shown = new Set<object>()

/** What `show` gives; a mark where the object is being shown already. */
export function showOnce(object: object, show: () => string): string {
  if (shown.has(object)) return '[Circular]'
  shown.add(object)
  try {
    return show()
  } finally {
    shown.delete(object)
  }
}

const converted = new Set<object>()

/** @throws TypeError where the object is being turned into JSON already, as `JSON.stringify` does for plain ones. */
export function asJson<R>(object: object, contents: () => R): R {
  if (converted.has(object)) {
    throw new TypeError(
      `${[...converted, object].map((each) => shapeOf(each)!.name).join(' → ')}: objects that refer to each other in ` +
        'a circle have no JSON. Give one of the classes a toJSON() that leaves the reference out.',
    )
  }
  converted.add(object)
  try {
    return contents()
  } finally {
    converted.delete(object)
  }
}

/** A field's value, as JSON has it; containers with what is in them. */
export function jsonOf(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null) return value
  const shape = shapeOf(value)
  const { toJSON } = value as { toJSON?: unknown }
  if (!shape || typeof toJSON !== 'function') return value
  if (!shape.isContainer) return toJSON.call(value, key) as unknown
  return asJson(value, () => elementsAsJson(toJSON.call(value, key)))
}

function elementsAsJson(contents: unknown): unknown {
  if (Array.isArray(contents)) return contents.map((x, i) => (Array.isArray(x) ? x : jsonOf(x, String(i))))
  return Object.fromEntries(Object.entries(contents as object).map(([key, x]) => [key, jsonOf(x, key)]))
}
