/**
 * References inside values.
 *
 * A value that crosses is a graph for structured clone. Where it contains references (decorated objects,
 * proxies, functions, errors) it is copied with an empty placeholder object in the place of each, and
 * beside it goes a list `[placeholder, kind, body]`. Structured clone keeps identity within a message, so
 * on the other side the placeholders of the list *are* those in the graph: no tag could be mistaken for
 * data, nor data for a tag.
 *
 * A graph without references is sent as it is, without a copy. The list is in post-order: the body of an
 * entry contains only placeholders of entries before it.
 */
import { objectLabel } from './codec-kinds.js'
import { insteadOfEmptied } from './emptied.js'
import { NotMarshalableError } from './errors.js'
import { keepOne } from './kept-shapes.js'
import { type MarshalContext, type Marshaler, marshalerFor, marshalerOf, type UnmarshalContext } from './marshaler.js'
import { missingMarshaler } from './missing-marshaler.js'
import { isOfPlatform } from './of-platform.js'
import { functionLabel, refusal } from './refusal.js'
import type { ThreadId } from './threads.js'
import { requireAttached, transferListOf } from './transfer.js'

/** A reference as it stands beside a packed graph. */
export type PackedReference = [placeholder: object, kind: string, body: unknown]

/** A packed graph. */
export interface PackedGraph {
  value: unknown
  refs?: PackedReference[]
}

/** How to pack for a thread that shares no memory with this one. */
export interface ApartPacking {
  /**
   * A free-threaded object goes by reference. What it throws ends the packing.
   *
   * @param place the keys that lead to it.
   */
  downgraded(x: object, place: readonly string[], memoryOnly: boolean): void
}

type Entry = [key: unknown, value: unknown]

/** What errors call the value of a map's key. No key is asked for its text: that may run anything. */
function keyLabel(key: unknown): string {
  return (typeof key === 'object' && key !== null) || typeof key === 'function' ? 'value' : String(key)
}

/** What structured clone copies member by member; everything else it knows as a whole, or refuses. */
function isContainer(x: object): boolean {
  if (Array.isArray(x) || x instanceof Map || x instanceof Set) return true
  if (ArrayBuffer.isView(x)) return false
  const tag = Object.prototype.toString.call(x)
  return tag === '[object Object]'
}

/** What structured clone refuses, wherever it stands. Told here, so that it is told at once and with its place. */
const unclonable = [Promise, WeakMap, WeakSet, WeakRef]

function isUnclonable(x: object): boolean {
  return unclonable.some((Class) => x instanceof Class) || insteadOfEmptied(x) !== undefined
}

/** Whether the value must be walked through: for references, or for what is to be refused. */
export function containsReference(x: unknown, seen = new Set<object>()): boolean {
  if (typeof x === 'function' || typeof x === 'symbol') return true
  if (typeof x !== 'object' || x === null || seen.has(x)) return false
  seen.add(x)
  if (marshalerOf(x) || transferListOf(x)) return true
  if (x instanceof Map) {
    for (const [key, value] of x) if (containsReference(key, seen) || containsReference(value, seen)) return true
  } else if (x instanceof Set) {
    for (const value of x) if (containsReference(value, seen)) return true
  } else if (isOfPlatform(x)) return true
  else if (isContainer(x)) {
    for (const key of Object.keys(x)) if (containsReference((x as any)[key], seen)) return true
  } else return isUnclonable(x)
  return false
}

function put(target: any, key: string, value: unknown): void {
  // An own property named __proto__ must not become the prototype.
  if (key === '__proto__')
    Object.defineProperty(target, key, { value, enumerable: true, writable: true, configurable: true })
  else target[key] = value
}

const BUSY = Symbol('being packed')

class Packer implements MarshalContext {
  readonly refs: PackedReference[] = []
  readonly #copies = new Map<object, object | typeof BUSY>()
  /** What is transferred: it stays in the graph as it is. */
  readonly #moved = new Set<object>()
  readonly #trail: string[] = []

  constructor(
    readonly transferList: any[],
    readonly to: ThreadId | undefined,
    readonly table: boolean,
    readonly apartPacking: ApartPacking | undefined,
  ) {}

  get apart(): boolean {
    return this.apartPacking !== undefined
  }

  pack(x: unknown): unknown {
    const copies = this.#copies.size
    const refs = this.refs.length
    const depth = this.#trail.length
    try {
      return this.#pack(x)
    } catch (error) {
      // Some marshalers go on without it. Elsewhere in the value it must be found whole, or be refused.
      for (const key of [...this.#copies.keys()].slice(copies)) this.#copies.delete(key)
      releaseReferences(this.refs.splice(refs))
      this.#trail.length = depth
      throw error
    }
  }

  #pack(x: unknown): unknown {
    if (typeof x === 'symbol') throw refusal('a symbol', this.#trail)
    if ((typeof x !== 'object' && typeof x !== 'function') || x === null) return x
    const known = this.#copies.get(x)
    if (known === BUSY) return this.#cycle(x)
    if (known) return known
    const list = transferListOf(x)
    if (list) this.#move(list)
    if (this.#moved.has(x)) return x
    const own = marshalerOf(x)
    if (own) {
      const marshaler = this.apartPacking ? this.#marshalerApart(x, own, this.apartPacking) : own
      this.#copies.set(x, BUSY)
      const placeholder = {}
      const body = marshaler.marshal(x, this)
      this.#copies.set(x, placeholder)
      this.refs.push([placeholder, marshaler.kind, body])
      return placeholder
    }
    if (typeof x === 'function') throw refusal(functionLabel(x), this.#trail)
    if (isOfPlatform(x)) {
      if (this.apart) throw refusal(objectLabel(x), this.#trail, 'what it holds')
      return x
    }
    if (isContainer(x)) return this.#copy(x)
    if (isUnclonable(x)) throw refusal(objectLabel(x), this.#trail, insteadOfEmptied(x))
    return x
  }

  #marshalerApart(x: object, own: Marshaler, packing: ApartPacking): Marshaler {
    if (own.apart === 'same') return own
    if (typeof own.apart === 'object') return own.apart
    const reference = marshalerFor('reference')?.apart
    if (typeof reference === 'object') {
      if (own.apart === 'reference') return reference
      if (own.model === 'free') {
        packing.downgraded(x, this.#trail, own.memoryOnly?.(x) === true)
        return reference
      }
    }
    // It says itself why a single-threaded object doesn't cross.
    if (own.model === 'single') return own
    throw refusal(objectLabel(x), this.#trail)
  }

  /** An error that is its own cause crosses without it; nothing else may lead back to itself only through what it packs. */
  #cycle(x: object): undefined {
    if (x instanceof Error) return undefined
    throw refusal('an object whose packed form contains the object itself', this.#trail)
  }

  #move(list: readonly object[]): void {
    for (const x of list) {
      // What has a marshaler, as a stream, moves by it.
      if (this.#moved.has(x) || marshalerOf(x)) continue
      requireAttached(x, this.#trail)
      this.#moved.add(x)
      if (!this.transferList.includes(x)) this.transferList.push(x)
    }
  }

  #copy(x: object): object {
    if (x instanceof Map) {
      const copy = new Map()
      this.#copies.set(x, copy)
      for (const [key, value] of x) copy.set(this.#at('key', key), this.#at(keyLabel(key), value))
      return copy
    }
    if (x instanceof Set) {
      const copy = new Set()
      this.#copies.set(x, copy)
      for (const value of x) copy.add(this.#at('member', value))
      return copy
    }
    const copy: object = Array.isArray(x) ? new Array(x.length) : {}
    this.#copies.set(x, copy)
    for (const key of Object.keys(x)) put(copy, key, this.#at(key, (x as any)[key]))
    return copy
  }

  #at(key: string, value: unknown): unknown {
    this.#trail.push(key)
    const packed = this.#pack(value)
    this.#trail.pop()
    return packed
  }
}

keepOne(new Packer([], undefined, false, undefined))

/** Packs a value and everything that it refers to. */
export function packGraph(
  value: unknown,
  options: {
    transferList: any[]
    to?: ThreadId | undefined
    table?: boolean
    apart?: ApartPacking | undefined
  },
): PackedGraph {
  if (containsReference(value)) {
    const packer = new Packer(options.transferList, options.to, options.table ?? false, options.apart)
    const packed = packer.pack(value)
    return { value: packed, refs: packer.refs }
  }
  return { value }
}

/** Unpacks what `packGraph` packed, after it was cloned. The packed graph is used up. */
export function unpackGraph(graph: PackedGraph, context: UnmarshalContext): unknown {
  if (!graph.refs || graph.refs.length === 0) return graph.value
  const resolved = new Map<object, unknown>()
  const seen = new Set<object>()
  let done = 0
  try {
    for (const [placeholder, kind, body] of graph.refs) {
      const marshaler = marshalerFor(kind)
      if (!marshaler) throw missingMarshaler(kind)
      // Its body may name shared memory, and the sender has none of it.
      if (context.apart && marshaler.apart !== 'same') throw notFromApart(kind)
      resolved.set(placeholder, marshaler.unmarshal(resolve(body, resolved, seen), context))
      done++
    }
  } catch (error) {
    const rest = graph.refs.slice(done + 1)
    if (context.apart) releaseApart(rest)
    else releaseReferences(rest)
    throw error
  }
  // A body may hold a container in which placeholders of later entries stood: what leads back to itself.
  const again = new Set<object>()
  for (const [, , body] of graph.refs) resolve(body, resolved, again)
  return resolve(graph.value, resolved, again)
}

const notFromApart = (kind: string) =>
  new NotMarshalableError(`Something of kind "${kind}" came from another process: such things don't leave theirs.`)

/** As `releaseReferences`, of what came from a thread apart, which may name anything. */
export function releaseApart(refs: readonly PackedReference[]): void {
  releaseReferences(refs.filter(([, kind]) => marshalerFor(kind)?.apart === 'same'))
}

function resolve(x: unknown, resolved: Map<object, unknown>, seen: Set<object>): unknown {
  if (typeof x !== 'object' || x === null) return x
  if (resolved.has(x)) return resolved.get(x)
  if (seen.has(x)) return x
  seen.add(x)
  if (x instanceof Map) {
    const entries: Entry[] = [...x].map(([key, value]) => [
      resolve(key, resolved, seen),
      resolve(value, resolved, seen),
    ])
    x.clear()
    for (const [key, value] of entries) x.set(key, value)
  } else if (x instanceof Set) {
    const values = [...x].map((value) => resolve(value, resolved, seen))
    x.clear()
    for (const value of values) x.add(value)
  } else if (isContainer(x) && !isOfPlatform(x)) {
    for (const key of Object.keys(x)) {
      const value = (x as any)[key]
      const found = resolve(value, resolved, seen)
      // NaN isn't itself by ===; and what has no reference in it may be frozen.
      if (!Object.is(found, value)) put(x, key, found)
    }
  }
  return x
}

/** Lets go of what a packed graph holds that will never be unpacked. */
export function releaseReferences(refs: readonly PackedReference[]): void {
  for (const [, kind, body] of refs) marshalerFor(kind)?.release?.(body)
}
