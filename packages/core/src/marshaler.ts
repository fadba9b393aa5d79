/**
 * How a threading model plugs in: a marshaler packs references of one kind and unpacks them.
 *
 * A class says which marshaler serves its instances by the property `MARSHALER` on its prototype (a
 * proxy may answer it as well), so that finding out costs one property read. Kinds that have no class
 * of Flatshare's (functions, errors, objects marked by reference) are found by `claim`.
 */
import { FlatshareError } from './errors.js'
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
  /** Whether the receiver shares no memory with this thread: see `Marshaler.apart`. */
  readonly apart?: boolean
  /** Packs a value inside the one that is being packed. Where it throws, the marshaler may go on without that value. */
  pack(value: unknown): unknown
}

/** While something is unpacked. */
export interface UnmarshalContext {
  /** The thread that packed it. */
  readonly from: ThreadId
  /** Whether it shares no memory with this thread. */
  readonly apart?: boolean
}

/** Packs and unpacks references of one kind. */
export interface Marshaler<T extends object = any, Body = any> {
  /** Names the kind in packets; the same on all threads. */
  readonly kind: string
  /** How such a reference behaves here; undefined for values. */
  readonly model: ThreadingModel | undefined
  /** Whether it serves an object or function whose class doesn't say so. */
  claim?(x: object): boolean
  /** False where it claims no plain object and no array: most objects are such, and needn't be asked about then. */
  readonly claimsPlain?: false
  /** The same, where the answer is one for all objects of one prototype. */
  claimClass?(x: object): boolean
  /**
   * How it crosses to a thread that shares no memory with this one, as that of another process: the same way, where a
   * body is nothing but data and what `context.pack` gave; by another marshaler, of a kind of its own, which crosses the
   * same way; or by reference. Where nothing is said, free-threaded objects go by reference, which is noted as a
   * downgrade, and all else not at all. What comes from there is unpacked by none but those that cross the same way.
   */
  readonly apart?: 'same' | 'reference' | Marshaler<T>
  /** Nobody holds a reference to it any more that was sent to another process; `lost` where that process is gone. */
  unheld?(x: T, lost: boolean): void
  /** Whether it may not go by reference to where no memory is shared. */
  memoryOnly?(x: T): boolean
  /** The URL of the module that plugs it in, for threads that run nobody's program. */
  readonly module?: string
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
/** For objects of a prototype: the marshalers that may claim them, or have claimed their class, in the order of registration. */
let candidates = new WeakMap<object, readonly Marshaler[]>()
let forPlain: readonly Marshaler[] = []

/**
 * Plugs a marshaler in, for this thread. Registering the same again does nothing.
 *
 * @throws FlatshareError for another one of the same kind: a second copy of the package that makes it is loaded.
 */
export function registerMarshaler(marshaler: Marshaler): void {
  const known = byKind.get(marshaler.kind)
  if (known === marshaler) return
  if (known) {
    throw new FlatshareError(
      `Two copies of the package whose objects cross as "${marshaler.kind}" are loaded on this thread. Objects of the ` +
        'one would not know those of the other: let all packages share one copy.',
    )
  }
  byKind.set(marshaler.kind, marshaler)
  if (!marshaler.claim && !marshaler.claimClass) return
  claiming.push(marshaler)
  candidates = new WeakMap()
  forPlain = claiming.filter(({ claim, claimsPlain = true }) => claim && claimsPlain)
}

/** The modules that have plugged marshalers in on this thread, as far as those say. */
export function marshalerModules(): string[] {
  return [...new Set([...byKind.values()].flatMap(({ module }) => module ?? []))]
}

/** The marshaler of a kind, as it stands in a packet. */
export function marshalerFor(kind: string): Marshaler | undefined {
  return byKind.get(kind)
}

/** The marshaler that serves `x`; undefined for what crosses as a copy. */
export function marshalerOf(x: object): Marshaler | undefined {
  const own = (x as { [MARSHALER]?: Marshaler })[MARSHALER]
  if (own !== undefined) return own
  const found = candidatesFor(x)
  for (let i = 0; i < found.length; i++) if (!found[i]!.claim || found[i]!.claim!(x)) return found[i]
  return undefined
}

function candidatesFor(x: object): readonly Marshaler[] {
  const prototype = Object.getPrototypeOf(x) as object | null
  if (prototype === Object.prototype || prototype === Array.prototype || prototype === null) return forPlain
  let found = candidates.get(prototype)
  if (!found) {
    found = claiming.filter((marshaler) => marshaler.claim ?? marshaler.claimClass!(x))
    candidates.set(prototype, found)
  }
  return found
}
