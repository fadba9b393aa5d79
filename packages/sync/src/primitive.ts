/**
 * What all primitives are to programs: a handle to some bytes of shared memory, with a name.
 *
 * Each thread has one handle to one primitive, kept weakly by address. The bytes are never freed: no
 * thread can know that no other has a handle, or a packet with one on its way.
 */
import type { CrossesAsItself, crossesAsItself } from '@flatshare/core'
import { allocate, MARSHALER, type Marshaler, reach, registerMarshaler } from '@flatshare/core/internal'

/** What every primitive may be made with. */
export interface PrimitiveOptions {
  /** What errors and `console.log` call it, on all threads. */
  name?: string
}

/** What the next handle attaches to, 0 for bytes of its own. */
let attachTo = 0

type PrimitiveClass = new (...args: any[]) => Primitive

let makeMarshaler: (Class: PrimitiveClass, kind: string, bytes: number) => Marshaler

/** The base of the primitives. */
export abstract class Primitive implements CrossesAsItself {
  declare readonly [crossesAsItself]?: true
  /** As given; '' without a name. */
  readonly name: string
  /** @internal */
  protected readonly address: number
  /** @internal Whether this handle made the primitive: then it is the one to write its first state. */
  protected readonly isNew: boolean
  /** @internal What it is called in errors, before its name. */
  protected abstract readonly word: string

  /** @internal */
  protected constructor(bytes: number, options: PrimitiveOptions, usage: string) {
    if (typeof options !== 'object' || options === null || typeof (options.name ?? '') !== 'string') {
      throw new TypeError(usage)
    }
    this.name = options.name ?? ''
    this.isNew = attachTo === 0
    this.address = attachTo || allocate(bytes)
  }

  /** @internal What errors call it: its kind and its name. */
  protected describe(): string {
    return `${this.word} ${this.name ? `"${this.name}"` : `#${this.address >> 4}`}`
  }

  /** @internal What another thread's handle is made with, as the constructor takes it. */
  protected abstract madeWith(): unknown[]

  /** @internal What `console.log` says of its state. */
  protected abstract state(): string

  /** Text for logs. Being the object's own, a function makes structured clone refuse it: `marshal` it instead. */
  readonly toJSON = (): string => this.#inspected()

  #inspected(): string {
    const text = this.describe()
    return `${text.charAt(0).toUpperCase()}${text.slice(1)} (${this.state()})`
  }

  /** What `console.log` shows, where the runtime asks: the name, and the state. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.#inspected()
  }

  static {
    makeMarshaler = (Class, kind, bytes) => ({
      kind,
      model: 'free',
      marshal(primitive: Primitive): Body {
        keep(primitive.address, primitive)
        return { address: primitive.address, args: primitive.madeWith() }
      },
      unmarshal({ address, args }: Body): Primitive {
        const known = handles.get(address)?.deref()
        if (known) return known
        reach(address + bytes)
        attachTo = address
        try {
          const primitive = new Class(...args)
          keep(address, primitive)
          return primitive
        } finally {
          attachTo = 0
        }
      },
    })
  }
}

interface Body {
  address: number
  args: unknown[]
}

/** Lets the instances of a class cross to other threads. `bytes` is what one takes of shared memory. */
export function letCross(Class: PrimitiveClass, kind: string, bytes: number): void {
  const marshaler = makeMarshaler(Class, kind, bytes)
  Object.defineProperty(Class.prototype, MARSHALER, { value: marshaler })
  registerMarshaler(marshaler)
}

const handles = new Map<number, WeakRef<Primitive>>()
const collected = new FinalizationRegistry<number>((address) => {
  if (!handles.get(address)?.deref()) handles.delete(address)
})

function keep(address: number, primitive: Primitive): void {
  if (handles.get(address)?.deref() === primitive) return
  handles.set(address, new WeakRef(primitive))
  collected.register(primitive, address)
}
