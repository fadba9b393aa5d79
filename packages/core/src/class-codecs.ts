/**
 * Classes whose instances cross as copies: `registerCodec`.
 *
 * The marshaler stands on the class's prototype, so that finding it costs one property read, subclasses without a
 * codec of their own take the nearest one above, and other objects pay nothing.
 */
import { isByReference } from './by-reference.js'
import { FlatshareError, NotMarshalableError } from './errors.js'
import { MARSHALER, type Marshaler, registerMarshaler } from './marshaler.js'
import { modelRecord } from './models.js'

/** How instances of a class cross. */
export interface ClassCodec<T extends object, Encoded = any> {
  /** Names the class in messages; the same on all threads. Minifiers change a class's own name. */
  readonly name: string
  /** Gives what crosses in the place of an instance: anything that can cross, at any depth, or a reference. */
  encode(instance: T): Encoded
  /** Makes an instance of what `encode` gave on the other thread. */
  decode(encoded: Encoded): T
}

type AnyClass<T extends object> = abstract new (...args: any[]) => T

interface Body {
  readonly name: string
  readonly encoded: unknown
}

const classes = new Map<string, Function>()
const byName = new Map<string, ClassCodec<object>>()
const byPrototype = new WeakMap<object, ClassCodec<object>>()

/**
 * Makes the instances of a class cross to other threads as copies of that class, wherever they stand in an argument,
 * a result, a thrown error or what `marshal` packs. Without it an instance of an undecorated class arrives as a plain
 * object with the same fields.
 *
 * Both threads register the class, under one name: what encodes here decodes there. Instances of a subclass that has no
 * codec of its own arrive as instances of the nearest class above that has one. What is marked `byReference` still goes
 * by reference. A call that carries an instance rejects with `NotMarshalableError`, naming the class, when the other
 * thread doesn't know the name or when the codec throws.
 *
 * @throws TypeError for anything but a class and a codec, and for a class whose instances are the platform's own.
 * @throws FlatshareError for a class that has a threading model, and for a name that another class has taken.
 * @example
 * registerCodec(Money, {
 *   name: 'Money',
 *   encode: ({ amount, currency }) => [amount, currency] as const,
 *   decode: ([amount, currency]) => new Money(amount, currency),
 * })
 */
export function registerCodec<T extends object, Encoded>(Class: AnyClass<T>, codec: ClassCodec<T, Encoded>): void {
  const prototype = requireClass(Class)
  const { name, encode, decode } = requireCodec(codec)
  const model = modelRecord(Class)
  if (model) {
    throw new FlatshareError(
      `${model.name} can't have a codec: its objects are ${model.model}-threaded, and don't cross as copies.`,
    )
  }
  const taken = classes.get(name)
  if (taken && taken !== Class) {
    throw new FlatshareError(`Another class is registered under the name "${name}" already: give this one its own.`)
  }
  const own = { name, encode: encode.bind(codec), decode: decode.bind(codec) } as ClassCodec<object>
  classes.set(name, Class)
  byName.set(name, own)
  byPrototype.set(prototype, own)
  Object.defineProperty(prototype, MARSHALER, {
    get(this: object) {
      return isByReference(this) ? undefined : classMarshaler
    },
    configurable: true,
  })
}

const builtIn: readonly unknown[] = [Object, Array, Function, Map, Set, Promise, Error]

function requireClass(Class: unknown): object {
  const prototype = typeof Class === 'function' ? (Class.prototype as unknown) : undefined
  if (typeof prototype !== 'object' || prototype === null) {
    throw new TypeError('registerCodec takes a class, and how its instances are encoded.')
  }
  if (builtIn.includes(Class)) throw new TypeError(`${(Class as Function).name} crosses without a codec.`)
  if (!Object.isExtensible(prototype)) {
    throw new TypeError(`${(Class as Function).name} is frozen: its codec must be registered before that.`)
  }
  return prototype
}

function requireCodec<T extends object, Encoded>(codec: ClassCodec<T, Encoded>): ClassCodec<T, Encoded> {
  const { name, encode, decode } = (codec ?? {}) as Partial<ClassCodec<T, Encoded>>
  if (typeof name !== 'string' || name === '' || typeof encode !== 'function' || typeof decode !== 'function') {
    throw new TypeError("registerCodec takes { name: 'Money', encode(instance) {…}, decode(encoded) {…} }.")
  }
  return codec
}

/** The codec of the nearest registered class. */
function codecOf(x: object): ClassCodec<object> {
  let prototype = Object.getPrototypeOf(x) as object
  while (!byPrototype.has(prototype)) prototype = Object.getPrototypeOf(prototype) as object
  return byPrototype.get(prototype)!
}

function failed(name: string, what: string, cause: unknown): NotMarshalableError {
  const why = cause instanceof Error ? cause.message : `it threw a ${typeof cause}`
  return new NotMarshalableError(`The codec of ${name} failed to ${what} an instance: ${why}`, { cause })
}

const classMarshaler: Marshaler<object, Body> = {
  kind: 'class',
  model: undefined,
  apart: 'same',
  marshal(x, context) {
    const { name, encode } = codecOf(x)
    let encoded: unknown
    try {
      encoded = encode(x)
    } catch (cause) {
      throw failed(name, 'encode', cause)
    }
    return { name, encoded: context.pack(encoded) }
  },
  unmarshal(body) {
    const { name, encoded } = body
    const codec = byName.get(name)
    if (!codec) {
      throw new NotMarshalableError(
        `An instance of ${name} arrived, but this thread doesn't know that class: registerCodec it here, too.`,
      )
    }
    try {
      return codec.decode(encoded)
    } catch (cause) {
      throw failed(name, 'decode', cause)
    }
  },
}
registerMarshaler(classMarshaler)
