/**
 * How a threading model plugs in: a marshaler packs references of one kind and unpacks them.
 *
 * A class says which marshaler serves its instances by the property `MARSHALER` on its prototype (a
 * proxy may answer it as well), so that finding out costs one property read. Kinds that have no class
 * of Flatshare's (functions, errors, objects marked by reference) are found by `claim`.
 */
import type { ThreadingModel } from './models.js'
import type { ThreadId } from './threads.js'

/** While something is packed. */
export interface MarshalContext {
  /** What `postMessage` must transfer beside the message. */
  readonly transferList: any[]
  /** The thread that the packet is for, where it is known. */
  readonly to: ThreadId | undefined
  /** True for a packet that may be unmarshaled many times: it can carry no port. */
  readonly table: boolean
  /** Packs a value inside the one that is being packed. */
  pack(value: unknown): unknown
}

/** While something is unpacked. */
export interface UnmarshalContext {
  /** The thread that packed it. */
  readonly from: ThreadId
}

/** Packs and unpacks references of one kind. */
export interface Marshaler<T extends object = any, Body = any> {
  /** Names the kind in packets; the same on all threads. */
  readonly kind: string
  /** How such a reference behaves here; undefined for values. */
  readonly model: ThreadingModel | undefined
  /** Whether it serves an object or function whose class doesn't say so. */
  claim?(x: object): boolean
  /** Packs `x`. What it gives must survive structured clone. */
  marshal(x: T, context: MarshalContext): Body
  /** Makes, or finds, the object here. */
  unmarshal(body: Body, context: UnmarshalContext): T
  /** Lets go of what an unused packet held. */
  release?(body: Body): void
}

/** On a prototype: the marshaler of its instances. */
export const MARSHALER = Symbol('flatshare.marshaler')

const byKind = new Map<string, Marshaler>()
const claiming: Marshaler[] = []

/** Plugs a marshaler in, for this thread. Registering the same again does nothing. */
export function registerMarshaler(marshaler: Marshaler): void {
  if (byKind.get(marshaler.kind) === marshaler) return
  byKind.set(marshaler.kind, marshaler)
  if (marshaler.claim) claiming.push(marshaler)
}

/** The marshaler of a kind, as it stands in a packet. */
export function marshalerFor(kind: string): Marshaler | undefined {
  return byKind.get(kind)
}

/** The marshaler that serves `x`; undefined for what crosses as a copy. */
export function marshalerOf(x: object): Marshaler | undefined {
  const own = (x as { [MARSHALER]?: Marshaler })[MARSHALER]
  if (own !== undefined) return own
  for (const marshaler of claiming) if (marshaler.claim!(x)) return marshaler
  return undefined
}
