/**
 * What structured clone takes an object for. It goes by internal slots, not by prototypes: a subclass of
 * `Map` is a map, `Object.create(Map.prototype)` is none.
 */
import { isPort } from '#platform'
import { insteadOfEmptied } from './emptied.js'

export type CloneKind =
  | 'plain'
  | 'map'
  | 'set'
  | 'date'
  | 'regexp'
  | 'boxed'
  | 'symbol'
  | 'buffer'
  | 'sharedBuffer'
  | 'view'
  | 'refused'

const tagOf = (x: object): string => Object.prototype.toString.call(x)

/** Throws where `x` hasn't the slot. */
type Probe = (x: object) => unknown

function getter(prototype: object, key: PropertyKey): Probe {
  const get = Object.getOwnPropertyDescriptor(prototype, key)!.get!
  return (x) => get.call(x)
}

function method(prototype: { valueOf(): unknown }): Probe {
  return (x) => prototype.valueOf.call(x)
}

const probes: Array<[tag: string, kind: CloneKind, Class: Function, probe: Probe]> = [
  ['[object Map]', 'map', Map, getter(Map.prototype, 'size')],
  ['[object Set]', 'set', Set, getter(Set.prototype, 'size')],
  ['[object Date]', 'date', Date, (x) => Date.prototype.getTime.call(x)],
  ['[object RegExp]', 'regexp', RegExp, getter(RegExp.prototype, 'source')],
  ['[object ArrayBuffer]', 'buffer', ArrayBuffer, getter(ArrayBuffer.prototype, 'byteLength')],
  ['[object Boolean]', 'boxed', Boolean, method(Boolean.prototype)],
  ['[object Number]', 'boxed', Number, method(Number.prototype)],
  ['[object String]', 'boxed', String, method(String.prototype)],
  ['[object BigInt]', 'boxed', BigInt, method(BigInt.prototype)],
  ['[object Symbol]', 'symbol', Symbol, method(Symbol.prototype)],
]
if (typeof SharedArrayBuffer !== 'undefined') {
  const byteLength = getter(SharedArrayBuffer.prototype, 'byteLength')
  probes.push(['[object SharedArrayBuffer]', 'sharedBuffer', SharedArrayBuffer, byteLength])
}

/** For any object but arrays and functions. */
export function cloneKindOf(x: object): CloneKind {
  if (ArrayBuffer.isView(x)) return 'view'
  const tag = tagOf(x)
  if (tag === '[object Object]') return 'plain'
  for (const [itsTag, kind, Class, probe] of probes) {
    if (tag !== itsTag && !(x instanceof Class)) continue
    try {
      probe(x)
      return kind
    } catch {
      // It has the name or the prototype only.
    }
  }
  // To clone a port that is closed makes Node 20 crash.
  return !isPort(x) && !insteadOfEmptied(x) && (isUsers(x) || becomesPlain(x)) ? 'plain' : 'refused'
}

/** What errors call an object that can't cross. */
export function objectLabel(x: object): string {
  const Class = x.constructor as unknown
  const name = typeof Class === 'function' && Class !== Object && Class.name ? Class.name : tagOf(x).slice(8, -1)
  return `${/^[AEIOU]/.test(name) ? 'an' : 'a'} ${name}`
}

/** Whether every class above `x` is a program's own, so that its tag is only a name. */
function isUsers(x: object): boolean {
  let own = Object.hasOwn(x, Symbol.toStringTag)
  for (let at = Object.getPrototypeOf(x); at && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    const Class = Object.hasOwn(at, 'constructor') ? (at.constructor as unknown) : undefined
    if (typeof Class !== 'function') continue
    if ((globalThis as any)[Class.name] === Class || /\{\s*\[native code\]\s*\}\s*$/.test(String(Class))) return false
    own = true
  }
  return own
}

/** For what the platform may know more about: structured clone itself is asked. */
function becomesPlain(x: object): boolean {
  try {
    return tagOf(structuredClone(x)) === '[object Object]'
  } catch {
    return false
  }
}
