/** How a class says that its objects belong to the thread that makes them. */
import { FlatshareError, WrongThreadError } from '@flatshare/core'
import {
  declareModel,
  MARSHALER,
  type Marshaler,
  type MemberContext,
  modelRecord,
  noteMember,
  ownThreadId,
  registerMarshaler,
  threadName,
} from '@flatshare/core/internal'
import { type SaidOfClass, sayOfClass } from './description.js'
import { referenceMarshaler } from './reference-marshaler.js'

/** Any class; its constructor may be private. */
type AnyClass = Function

/** Decorates a class, in either dialect, or is called with it. */
export type ClassDecoration = (Class: AnyClass, context?: ClassDecoratorContext<any>) => void
/** Decorates a method or accessor, in either dialect. */
export type MemberDecoration = (target: any, context: MemberContext, descriptor?: any) => void

export interface ApartmentThreadedOptions {
  /** The name under which the class crosses. Minifiers change a class's own. */
  name?: string
  /**
   * The URL of the module that exports the class, `import.meta.url`: so that `apartment.create(Mailbox)` finds it on a
   * thread that serves another module.
   */
  module?: string | URL
  /** Members that other threads can't reach: what `@Hidden` says, without decorators. */
  hidden?: readonly string[]
  /** Members whose calls don't queue, or true for all: what `@Interleaved` says, without decorators. */
  interleaved?: boolean | readonly string[]
}

export interface SingleThreadedOptions {
  /** The name that errors give the class. */
  name?: string
}

function mark(Class: Function, marshaler: Marshaler): void {
  Object.defineProperty(Class.prototype, MARSHALER, { value: marshaler, configurable: true })
}

/**
 * An object of this class lives on the thread that makes it. Other threads hold proxies, and their calls
 * run there, one at a time: an async method counts as one call until it has settled, so the class needs no
 * locks. Calls that come back to the object from inside one of its own calls enter at once.
 *
 * Reachable from other threads are public methods and accessors of the class and its parents; never
 * fields, `#private` members, or what is `@Hidden`. On its own thread the object is an ordinary one.
 *
 * @throws FlatshareError at decoration when a parent's model contradicts it.
 * @example
 * @ApartmentThreaded()
 * class Mailbox { count() { return this.#messages.length } }
 * // without decorators:
 * ApartmentThreaded({ name: 'Mailbox', hidden: ['compact'] })(Mailbox)
 */
export function ApartmentThreaded(options?: ApartmentThreadedOptions): ClassDecoration
export function ApartmentThreaded(Class: AnyClass, context?: ClassDecoratorContext<any>): void
export function ApartmentThreaded(first?: ApartmentThreadedOptions | AnyClass): ClassDecoration | void {
  if (typeof first === 'function') return decorate(first)
  requireDescription('ApartmentThreaded', first)
  return (Class) => decorate(Class, first)
}

function requireDescription(decorator: string, description: unknown): void {
  if (description === undefined || (typeof description === 'object' && description !== null)) return
  throw new TypeError(`@${decorator} takes nothing, or a description such as { name: 'Mailbox' }.`)
}

function decorate(Class: AnyClass, options: ApartmentThreadedOptions = {}): void {
  declareModel(Class, 'apartment', options.name === undefined ? {} : { name: options.name })
  const { hidden, interleaved, module } = options
  if (module !== undefined && !URL.canParse(String(module))) {
    throw new TypeError(`The module of ${options.name ?? Class.name} is named by its URL: import.meta.url.`)
  }
  const what: SaidOfClass = {
    ...(hidden && { hidden }),
    ...(interleaved && { interleaved }),
    ...(module && { module: String(module) }),
  }
  for (const key of [...(hidden ?? []), ...(Array.isArray(interleaved) ? (interleaved as string[]) : [])]) {
    if (!(key in Class.prototype)) {
      throw new FlatshareError(`${options.name ?? Class.name} has no member "${key}" that its description could name.`)
    }
  }
  sayOfClass(Class, what)
  mark(Class, referenceMarshaler)
}

const singleMarshaler: Marshaler<object, never> = {
  kind: 'single',
  model: 'single',
  marshal(x, { to }) {
    const { name } = modelRecord(x.constructor)!
    const home = threadName(ownThreadId())
    const target = to === undefined ? 'another thread' : `the thread "${threadName(to)}"`
    throw new WrongThreadError(
      `An object of ${name} can't be handed to ${target}: the class is single-threaded, and the object belongs ` +
        `to the thread "${home}".`,
    )
  },
  unmarshal() {
    throw new WrongThreadError('A single-threaded object arrived from another thread.')
  },
}
registerMarshaler(singleMarshaler)

/**
 * An object of this class may be used only by the thread that made it. Handing it to another one, at
 * whatever depth of a value, is a `WrongThreadError` at that moment, and nothing is sent.
 *
 * @throws FlatshareError at decoration when the class has another model already.
 * @example
 * @SingleThreaded()
 * class Window {}
 */
export function SingleThreaded(options?: SingleThreadedOptions): ClassDecoration
export function SingleThreaded(Class: AnyClass, context?: ClassDecoratorContext<any>): void
export function SingleThreaded(first?: SingleThreadedOptions | AnyClass): ClassDecoration | void {
  const decorateSingle = (Class: AnyClass, { name }: SingleThreadedOptions = {}) => {
    declareModel(Class, 'single', name === undefined ? {} : { name })
    mark(Class, singleMarshaler)
  }
  if (typeof first === 'function') return decorateSingle(first)
  requireDescription('SingleThreaded', first)
  return (Class) => decorateSingle(Class, first)
}

/**
 * Other threads can't reach this member.
 *
 * @example
 * @Hidden() compact() {}
 */
export function Hidden(): MemberDecoration
export function Hidden(target: any, context: MemberContext, descriptor?: any): void
export function Hidden(...args: [] | Parameters<MemberDecoration>): MemberDecoration | void {
  const note: MemberDecoration = (target, context) => noteMember(target, context, { decorator: 'Hidden' })
  if (args.length === 0) return note
  note(...args)
}

/**
 * Calls of this method, or of all methods of this class, don't queue: they start when they arrive, also
 * while an async method of the object awaits something, so state may change across its `await`s.
 *
 * @example
 * @Interleaved() async ping() {}
 */
export function Interleaved(): MemberDecoration & ClassDecoration
export function Interleaved(Class: AnyClass, context?: ClassDecoratorContext<any>): void
export function Interleaved(target: any, context: MemberContext, descriptor?: any): void
export function Interleaved(...args: any[]): any {
  const note = (target: any, context?: ClassDecoratorContext | MemberContext) => {
    const ofClass = context === undefined || (typeof context === 'object' && context.kind === 'class')
    if (ofClass) sayOfClass(target, { interleaved: true })
    else noteMember(target, context as MemberContext, { decorator: 'Interleaved' })
  }
  if (args.length === 0) return note
  note(args[0], args[1])
}
