/** What a thread sees of an object that lives on another. */
import type { AnyClass, AnyFunction, Arrives, IsAny, IsHandle, Served } from './crossing-types.js'
import type { CallFrom } from './signatures.js'

export type { Arrives, GivenAll } from './crossing-types.js'

declare const remote: unique symbol

/** Type only: what tells a proxy's type, and of what it is one. */
export interface RemoteBrand<T> {
  readonly [remote]?: T
}

/** What every proxy has: `using` and `release` let go of it. `T` is the type of the object behind it. */
export interface RemoteHandle<T = any> extends Disposable, RemoteBrand<T> {}

/** A method as its proxy has it: one that gives a promise or an iterator keeps its signature, others get a promise. */
export type RemoteMethod<F extends AnyFunction> = CallFrom<F, 'remote'>

/** A function of another thread. It gives a promise. */
export type RemoteFunction<F extends AnyFunction> = RemoteMethod<F> & RemoteHandle<F>

/** Members that no proxy has from its class: every object has them of its own, or must not have them. */
export type Unreachable = 'then' | 'toJSON' | '__proto__' | keyof Object

/** A getter from afar: its value when it comes. */
type RemoteValue<V> = IsAny<V> extends true ? Promise<any> : Promise<Arrives<Awaited<V>>>

/** `for await` and `await using` work on the proxy where they work on the object. */
export type RemoteSymbols<T> = (T extends AsyncDisposable ? AsyncDisposable : unknown) &
  (T extends AsyncIterable<infer Y> | Iterable<infer Y> ? AsyncIterable<Arrives<Y>> : unknown)

/**
 * The proxy of a `T` that lives on another thread.
 *
 * - A method that gives a promise or an asynchronous iterator keeps its signature whole, generics and overloads too; a
 *   synchronous one gives a promise, a generator an asynchronous generator. Of overloads the last four are seen.
 * - A getter is a promise. Nothing can be assigned; `set` calls a setter.
 * - Where a parameter is a `P`, a `Remote<P>` may be given as well. What can't cross is a type error where the compiler
 *   can tell.
 * - Results with methods are `Remote` themselves, data is data; what is free-threaded or has a codec arrives as itself
 *   where its type says so (`CrossesAsItself`).
 *
 * Two things the compiler can't see: public *fields* of a class are `undefined` on a proxy, give them an accessor; and
 * an object with methods whose class has no decorator is copied, without them, unless it is marked `byReference`.
 *
 * @example
 * const mailbox: Remote<Mailbox> = await apartment.create('Mailbox')
 * await mailbox.count()
 */
export type Remote<T> =
  IsAny<T> extends true
    ? any
    : IsHandle<T> extends true
      ? T
      : T extends AnyFunction
        ? RemoteFunction<T>
        : RemoteHandle<T> & {
            readonly [K in Exclude<keyof T, Unreachable | symbol>]: T[K] extends AnyFunction
              ? RemoteMethod<T[K]>
              : RemoteValue<T[K]>
          } & RemoteSymbols<T>

/** The names of a module's classes. */
export type ClassName<M> =
  IsAny<M> extends true ? string : { [K in keyof M]: M[K] extends AnyClass ? K : never }[keyof M] & string

/** What a module serves by name that is no class: functions to call, objects to get as proxies. */
export type RemoteModule<M> =
  IsAny<M> extends true
    ? any
    : RemoteHandle<M> & {
        readonly [K in Exclude<keyof M, Unreachable | symbol> as M[K] extends AnyClass
          ? never
          : K]: M[K] extends AnyFunction ? RemoteMethod<M[K]> : Promise<Served<M[K]>>
      }
