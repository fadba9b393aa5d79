/**
 * How a free-threaded object crosses: by its address and the name of its class. Nothing is copied, and
 * nothing waits: the other thread makes a handle over the same memory.
 *
 * On each thread there is one handle for a block, found by its address, for as long as somebody there
 * holds it.
 */
import { FlatshareError, NotMarshalableError } from '@flatshare/core'
import {
  arena,
  isByReference,
  MARSHALER,
  type Marshaler,
  ownMemberNotes,
  reach,
  registerMarshaler,
} from '@flatshare/core/internal'
import { adoptWhole } from './adoption.js'
import { noteAttached, setAddress } from './handle.js'
import { classFor, requireUniqueName } from './registry.js'
import { shapeOf } from './shape.js'

/** A free-threaded object in a packet. */
interface FreeBody {
  readonly name: string
  readonly layout: string
  readonly module: string
  readonly address: number
}

const handles = new Map<number, WeakRef<object>>()
const collected = new FinalizationRegistry<number>((address) => {
  if (handles.get(address)?.deref() === undefined) handles.delete(address)
})

function intern(address: number, object: object): void {
  if (handles.get(address)?.deref() === object) return
  handles.set(address, new WeakRef(object))
  collected.register(object, address)
}

const marshaler: Marshaler<object, FreeBody> = {
  kind: 'free',
  model: 'free',

  marshal(object) {
    // Again, even if it was adopted before: a subclass's constructor may have added fields since.
    const address = adoptWhole(object)
    const shape = shapeOf(object)!
    if (Object.getPrototypeOf(object) !== shape.prototype) {
      throw new FlatshareError(
        `${object.constructor.name} extends the free-threaded ${shape.name} but is not decorated itself, so it would ` +
          `arrive as ${shape.name}: put @FreeThreaded() on it too.`,
      )
    }
    requireUniqueName(shape.name)
    // From here on a field that is added would be this thread's alone: let adding one fail.
    Object.preventExtensions(object)
    intern(address, object)
    return { name: shape.name, layout: shape.layout, module: shape.module, address }
  },

  unmarshal({ name, layout, module, address }) {
    const known = handles.get(address)?.deref()
    if (known && shapeOf(known)?.name === name) return known
    const { prototype, bytes } = classFor(name, layout, module)
    const valid = Number.isSafeInteger(address) && address > 0 && address % 16 === 0
    if (!valid || address + bytes > arena().byteLength) {
      throw new NotMarshalableError(`An object of the class ${name} arrived with an address that doesn't exist.`)
    }
    reach(address + bytes)
    const object = Object.create(prototype) as object
    setAddress(object, address)
    noteAttached(object)
    Object.preventExtensions(object)
    intern(address, object)
    return object
  },
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
