/**
 * `@PerThread`, in both dialects.
 *
 * The field becomes an accessor on the prototype, which looks into the context of the running thread.
 * What stands in its way is a compiler that *defines* fields: it leaves an own property on the instance
 * (`undefined`, for `cursor!: Cursor`), which hides the accessor. It is taken away as early as possible:
 *
 *   dialect, kind       who defines the accessor             who takes the own property away
 *   legacy field        this decorator, on the prototype     each method of the class, and of decorated
 *                                                            subclasses, when it is called
 *   standard field      the class decorator (by `install`),  this decorator's initialiser, right after
 *                       or the first instance                the field was defined
 *   standard accessor   this decorator                       there is none
 *
 * `@FreeThreaded` adopts such properties with the others, before any of its methods runs.
 */
import { FlatshareError } from '@flatshare/core'
import { type MemberContext, noteMember, wrapMember } from '@flatshare/core/internal'
import { requireAware } from './awareness.js'
import { type Cell, contextOf, isOwn, keepCell, keepValue, knownContext } from './contexts.js'

/** Makes a thread's own value; `object` is the one that has the field. */
export type PerThreadFactory<V = any> = (object: any) => V

/** Decorates a field, or a member declared with `accessor`, in either dialect. */
export interface PerThreadDecorator<V> {
  <This, Value>(value: undefined, context: ClassFieldDecoratorContext<This, Value> & Fits<V, Value>): void
  <This, Value>(
    value: ClassAccessorDecoratorTarget<This, Value>,
    context: ClassAccessorDecoratorContext<This, Value> & Fits<V, Value>,
  ): ClassAccessorDecoratorResult<This, Value>
  (prototype: object, key: PropertyKey, descriptor?: PropertyDescriptor): any
}

/** What the factory makes is a value of the field. */
type Fits<Made, Value> = [Made] extends [Value] ? unknown : never

/**
 * Gives each thread a value of its own for this field.
 *
 * `factory` makes it at the thread's first use; without one it is undefined until the thread sets it. An
 * initialiser's value is that of the thread that made the object. The value is disposed, if it can be,
 * when its thread ends or the object is disposed; see `ThreadAware`. A value that is replaced isn't: that is up to
 * whoever replaces it.
 *
 * On a free-threaded class the thread is the one that runs the code. On any other thread-aware class it
 * is the one that called: the values of all callers are kept at the object's home.
 *
 * With legacy decorators and `useDefineForClassFields` the compiler defines a property of its own on each new object,
 * `undefined` for a field without initialiser. Nothing can see that happen; the first method, accessor or
 * `threadContext` takes it away. So where such a field is read before that, by the constructor or from outside, write
 * `declare cursor: Cursor`: no property is defined then.
 *
 * @throws FlatshareError, when the object is made or first used, where its class is neither thread-aware
 * nor free-threaded.
 * @throws DisconnectedError, when the field is used by a call whose caller's thread has ended.
 * @example
 * @ThreadAware() @FreeThreaded()
 * class Session { @PerThread(() => new Cursor()) cursor!: Cursor }
 */
export function PerThread<V>(factory: (object: any) => V): PerThreadDecorator<V>
export function PerThread(): PerThreadDecorator<any>
export function PerThread(prototype: object, key: PropertyKey, descriptor?: PropertyDescriptor): any
export function PerThread(value: unknown, context: ClassFieldDecoratorContext | ClassAccessorDecoratorContext): any
export function PerThread(first?: unknown, member?: MemberContext, descriptor?: PropertyDescriptor): unknown {
  // Bare. (A factory is a function; what is decorated is a prototype, undefined, or an accessor's halves.)
  if (member !== undefined) return decorate(undefined, first, member, descriptor)
  return (target: unknown, member: MemberContext, descriptor?: PropertyDescriptor) =>
    decorate(first as PerThreadFactory | undefined, target, member, descriptor)
}

function decorate(
  factory: PerThreadFactory | undefined,
  target: unknown,
  member: MemberContext,
  descriptor: PropertyDescriptor | undefined,
): unknown {
  if (factory !== undefined && typeof factory !== 'function') {
    throw new TypeError('@PerThread takes a function that makes the value: @PerThread(() => new Cursor()).')
  }
  if (typeof member !== 'object') {
    const key = member
    if (descriptor && !(descriptor.get && descriptor.set)) throw notAField(key)
    noteMember(target, key, noteOf(factory))
    const accessor = accessorOf(key, factory)
    wrapToReveal(target as object, key)
    if (descriptor) return accessor
    Object.defineProperty(target as object, key, accessor)
    return undefined
  }
  const { name: key, kind } = member
  if (kind !== 'field' && kind !== 'accessor') throw notAField(key)
  noteMember(target, member, noteOf(factory))
  member.addInitializer(function (this: unknown) {
    requireAware(this as object, String(key))
    if (kind === 'field') reveal(this as object, key)
  })
  if (kind === 'field') return undefined
  const { get, set } = accessorOf(key, factory)
  return {
    get,
    set,
    init(this: object, value: unknown) {
      if (value !== undefined) keepValue(this, key, value)
      return undefined
    },
  }
}

/** What stands in core's notes: class decorators call `install` with their prototype. */
export function noteOf(factory: PerThreadFactory | undefined) {
  return {
    decorator: 'PerThread',
    factory,
    install(prototype: object, key: PropertyKey): void {
      // What every object has is no accessor of a parent's.
      if (!(key in prototype) || (prototype as any)[key] === (Object.prototype as any)[key])
        Object.defineProperty(prototype, key, accessorOf(key, factory))
    },
  }
}

function notAField(key: PropertyKey): FlatshareError {
  return new FlatshareError(
    `@PerThread can't decorate ${String(key)}: it takes a field, and this is a method or half an accessor.`,
  )
}

/** The value of the thread on whose behalf the code runs, made if there is none. */
function ownValue(object: object, key: PropertyKey, factory: PerThreadFactory | undefined): unknown {
  if (Object.hasOwn(object, 'constructor')) return undefined // the prototype itself
  const known = knownContext(object)
  // What is there may be undefined, if the thread has set it so.
  if (known && Object.hasOwn(known, key)) return known[key]
  requireAware(object, String(key))
  const context = contextOf(object)
  if (!factory) return undefined
  const made: unknown = factory(object)
  // The factory itself may have set the field.
  if (!Object.hasOwn(context, key)) keepValue(object, key, made)
  return context[key]
}

const factories = new WeakMap<Function, PerThreadFactory | undefined>()

function accessorOf(key: PropertyKey, factory: PerThreadFactory | undefined) {
  const cells = new WeakMap<object, Cell>()
  // What every record inherits says nothing about the field.
  const inherited: unknown = ({} as Record<PropertyKey, unknown>)[key]
  const get = function (this: object): unknown {
    const cell = cells.get(this)
    if (cell !== undefined && isOwn(cell)) return cell.value
    const known = knownContext(this)?.[key]
    const value = known === undefined || known === inherited ? ownValue(this, key, factory) : known
    // Another thread's value is looked up in its record each time.
    if (cell === undefined || !cell.contexts.isQuick) keepCell(cells, this, value)
    return value
  }
  const set = function (this: object, value: unknown): void {
    requireAware(this, String(key))
    // A compiler that assigns fields assigns `undefined` for no initialiser: that is not a value yet.
    if (value === undefined && !Object.hasOwn(knownContext(this) ?? {}, key)) return
    keepValue(this, key, value)
    cells.delete(this)
  }
  factories.set(get, factory)
  return { get, set, enumerable: false, configurable: true } satisfies PropertyDescriptor
}

/** Takes away the own property that hides the accessor; its value, if it has one, becomes this thread's. */
export function reveal(object: object, key: PropertyKey): void {
  if (!Object.hasOwn(object, key)) return
  const prototype = Object.getPrototypeOf(object) as object
  const value = (object as any)[key] as unknown
  delete (object as any)[key]
  // Nobody installed the accessor: no class decorator does, so the class is not thread-aware.
  if (!(key in prototype)) requireAware(object, String(key))
  if (value !== undefined) (object as any)[key] = value
}

const wrapped = new WeakMap<object, PropertyKey[]>()

/** From now on each method of the class takes away what hides `key` before it runs. */
export function wrapToReveal(prototype: object, key: PropertyKey): void {
  const known = wrapped.get(prototype)
  if (known) {
    if (!known.includes(key)) known.push(key)
    return
  }
  const keys = [key]
  wrapped.set(prototype, keys)
  for (const member of Reflect.ownKeys(prototype)) {
    const descriptor = Object.getOwnPropertyDescriptor(prototype, member)!
    if (member === 'constructor' || (descriptor.get && factories.has(descriptor.get))) continue
    wrapMember(
      prototype,
      member,
      descriptor,
      (fn) =>
        function (this: object, ...args: unknown[]): unknown {
          for (let i = 0; i < keys.length; i++) if (Object.hasOwn(this, keys[i]!)) reveal(this, keys[i]!)
          return Reflect.apply(fn, this, args)
        },
    )
  }
}
