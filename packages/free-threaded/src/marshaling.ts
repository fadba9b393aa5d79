/**
 * How a free-threaded object crosses: by its address. Nothing is copied, and nothing waits: the other thread makes a
 * handle over the same memory. On its way the object is held by a *crossing*, so that its maker may forget it.
 *
 * What arrives may be damaged or forged. It is believed only as far as the heap itself agrees: that an object is at the
 * address, of the type named, and on its way by that crossing.
 */
import { FlatshareError, NotMarshalableError } from '@flatshare/core'
import { isByReference, MARSHALER, type Marshaler, ownMemberNotes, registerMarshaler } from '@flatshare/core/internal'
import { adoptWhole, requireOwnClass } from './adoption.js'
import { addressOf } from './handle.js'
import {
  beginCrossing,
  endCrossing,
  intern,
  isCrossing,
  objectAt,
  registerKind,
  typeAt,
  typeOfHandle,
} from './heap/index.js'
import { noteCrossing } from './images.js'
import { classFor, requireUniqueName } from './registry.js'
import { shapeOf } from './shape.js'

/** A free-threaded object in a packet. */
interface FreeBody {
  readonly kind: string
  readonly name: string
  readonly layout: string
  readonly address: number
  readonly crossing: number
  /** It may arrive any number of times. */
  readonly table: boolean
}

const CLASS = 'class'

registerKind(CLASS, { attach: (info) => Object.create(classFor(info).prototype as object) as object })

/**
 * Gets an object ready to be found by other threads, or by way of other objects; gives its address.
 *
 * @throws FlatshareError for state that can't be shared, for an undecorated subclass, and for what was disposed of.
 */
export function share(object: object): number {
  const linked = addressOf(object)
  const shape = shapeOf(object)
  const isClass = linked <= 0 || typeAt(linked).kind === CLASS
  // Again, even if it was adopted before: a subclass's constructor may have added fields since.
  const address = isClass ? adoptWhole(object) : linked
  if (isClass && shape) {
    requireOwnClass(object)
    requireUniqueName(shape.name)
  } else if (shape && Object.getPrototypeOf(object) !== shape.prototype) {
    throw new FlatshareError(
      `${object.constructor.name} extends ${shape.name}, and would arrive as a plain ${shape.name}: keep the ` +
        `${shape.name} in a field instead, @Shared(${shape.name}).`,
    )
  }
  if (shape) noteCrossing(object, address)
  // From here on a field that is added would be this thread's alone: let adding one fail.
  Object.preventExtensions(object)
  intern(address, object)
  return address
}

const marshaler: Marshaler<object, FreeBody> = {
  kind: 'free',
  model: 'free',
  memoryOnly: isKeptInMemory,
  module: import.meta.url,

  marshal(object, { to, table }) {
    const address = share(object)
    const { kind, name, layout } = typeAt(address)
    return { kind, name, layout, address, crossing: beginCrossing(address, to, table), table }
  },

  unmarshal(body) {
    if (typeof body !== 'object' || (body as FreeBody | null) === null) throw notOnItsWay('?')
    const { kind, name, layout, address, crossing, table } = body
    // As long as it crosses it can't go away.
    if (!isCrossing(crossing, address)) throw notOnItsWay(name)
    try {
      const info = typeOfHandle(address)
      if (info?.kind !== kind || info.name !== name || info.layout !== layout) throw notOnItsWay(name)
      return objectAt(address)!
    } finally {
      if (!table) endCrossing(crossing, address)
    }
  },

  release(body) {
    if (typeof body === 'object' && (body as FreeBody | null) !== null) endCrossing(body.crossing, body.address)
  },
}

function notOnItsWay(name: unknown): NotMarshalableError {
  return new NotMarshalableError(
    `An object of the class ${String(name)} arrived that is not on its way: its packet was unpacked or disposed of ` +
      'before, or came seconds after the end of the thread that had made it.',
  )
}

const keptInMemory = new WeakSet<object>()

/** Objects with this prototype, or one below it, don't leave the process. */
export function keepInMemory(prototype: object): void {
  keptInMemory.add(prototype)
}

function isKeptInMemory(object: object): boolean {
  for (let at = Object.getPrototypeOf(object) as object | null; at; at = Object.getPrototypeOf(at) as object | null) {
    if (keptInMemory.has(at)) return true
  }
  return false
}

/** Makes objects with this prototype cross as themselves. */
export function crossAsFree(prototype: object): void {
  Object.defineProperty(prototype, MARSHALER, { value: marshaler, configurable: true })
}

registerMarshaler(marshaler)

/** Classes whose members are decorated and they themselves are not: a copy would be a silent mistake. */
const forgotten = new WeakMap<object, boolean>()

registerMarshaler({
  kind: 'free, undecorated',
  model: undefined,
  // It is refused everywhere.
  apart: 'same',
  claimsPlain: false,
  claim(object) {
    const prototype = Object.getPrototypeOf(object) as object | null
    if (prototype === null || prototype === Object.prototype || typeof object === 'function') return false
    let found = forgotten.get(prototype)
    if (found === undefined) forgotten.set(prototype, (found = sharedMember(prototype) !== undefined))
    return found && !isByReference(object)
  },
  marshal(object: object) {
    const prototype = Object.getPrototypeOf(object) as object
    throw new FlatshareError(
      `${prototype.constructor.name}.${String(sharedMember(prototype))} is @Shared, but the class is not free-threaded: ` +
        'put @FreeThreaded() on it.',
    )
  },
  unmarshal() {
    throw new NotMarshalableError('Such an object never crosses.')
  },
})

function sharedMember(prototype: object): PropertyKey | undefined {
  for (
    let at: object | null = prototype;
    at && at !== Object.prototype;
    at = Object.getPrototypeOf(at) as object | null
  ) {
    const Class = (at as { constructor?: unknown }).constructor
    if (typeof Class !== 'function' || !Object.hasOwn(at, 'constructor')) continue
    for (const [key, notes] of ownMemberNotes(Class))
      if (notes.some(({ decorator }) => decorator === 'Shared')) return key
  }
  return undefined
}
