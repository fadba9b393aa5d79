/**
 * Copies that nobody changes: of the moment when they were made, deeply frozen, and frozen again wherever
 * they cross.
 *
 * References (decorated objects, proxies, functions, errors) are kept as they are. What can't be frozen
 * (the contents of a `Map`, a `Set`, a `Date`, a buffer or a view) is at least the copy's own.
 */
import { MARSHALER, type Marshaler, marshalerOf, registerMarshaler } from './marshaler.js'

/** A deeply frozen copy of a value, as structured clone would copy it. */
export function copyFrozen<T>(value: T): T {
  return copy(value, new Map()) as T
}

function copy(x: unknown, seen: Map<object, unknown>): unknown {
  if (typeof x !== 'object' || x === null) {
    // Structured clone refuses symbols, with the error that everybody knows.
    return typeof x === 'symbol' ? structuredClone(x) : x
  }
  const known = seen.get(x)
  if (known !== undefined) return known
  if (marshalerOf(x)) return x
  if (Array.isArray(x) || Object.prototype.toString.call(x) === '[object Object]') {
    const made: any = Array.isArray(x) ? new Array(x.length) : {}
    seen.set(x, made)
    for (const key of Object.keys(x)) {
      const value = copy((x as any)[key], seen)
      Object.defineProperty(made, key, { value, enumerable: true, writable: true, configurable: true })
    }
    return Object.freeze(made)
  }
  if (x instanceof Map) {
    const made = new Map<unknown, unknown>()
    seen.set(x, made)
    for (const [key, value] of x) made.set(copy(key, seen), copy(value, seen))
    return Object.freeze(made)
  }
  if (x instanceof Set) {
    const made = new Set<unknown>()
    seen.set(x, made)
    for (const value of x) made.add(copy(value, seen))
    return Object.freeze(made)
  }
  const made = structuredClone(x)
  seen.set(x, made)
  return ArrayBuffer.isView(made) ? made : Object.freeze(made)
}

/** Freezes what nobody else has yet, to any depth. */
export function freezeDeeply(x: unknown, seen: Set<object>): void {
  if (typeof x !== 'object' || x === null || seen.has(x) || ArrayBuffer.isView(x) || marshalerOf(x)) return
  seen.add(x)
  if (x instanceof Map) for (const entry of x) freezeDeeply(entry, seen)
  else if (x instanceof Set) for (const value of x) freezeDeeply(value, seen)
  else for (const key of Object.keys(x)) freezeDeeply((x as any)[key], seen)
  Object.freeze(x)
}

const frozenMarshaler: Marshaler<readonly unknown[], unknown> = {
  kind: 'frozen',
  model: undefined,
  apart: 'same',
  marshal: (list, context) => context.pack([...list]),
  unmarshal(body) {
    const list = body as unknown[]
    for (const value of list) freezeDeeply(value, new Set())
    return Object.freeze(frozenAfar(list))
  },
}
registerMarshaler(frozenMarshaler)

/** Has a list of frozen values arrive frozen, to any depth, on other threads. */
export function frozenAfar<T>(list: T[]): readonly T[] {
  return Object.defineProperty(list, MARSHALER, { value: frozenMarshaler })
}
