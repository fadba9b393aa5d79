/** What a thread sees of an object that lives on another. */
import type { Port } from '@flatshare/core/internal'

type AnyFunction = (...args: any) => any
type AnyClass = abstract new (...args: any) => any

/**
 * What structured clone carries whole, and so arrives as what it was. Only types that programs without the
 * library "DOM" have too: a name that is missing there would be any, and make all of these types any.
 */
type Copied =
  | Date
  | RegExp
  | Error
  | Blob
  | ArrayBuffer
  | SharedArrayBuffer
  | ArrayBufferView
  | ReadonlyMap<unknown, unknown>
  | ReadonlySet<unknown>
  | AbortSignal
  | (Port & { start(): void })

declare const remote: unique symbol

/** What every proxy has: `using` and `release` let go of it. */
export interface RemoteHandle extends Disposable {
  readonly [remote]?: true
}

type IsAny<T> = 0 extends 1 & T ? true : false
type HasMethod<T> = true extends { [K in keyof T]-?: T[K] extends AnyFunction ? true : never }[keyof T] ? true : false

/** How a value that another thread gives is found here: objects with methods as proxies, others as copies. */
export type Arrives<T> =
  IsAny<T> extends true
    ? any
    : T extends RemoteHandle | Copied
      ? T
      : T extends AnyFunction
        ? RemoteFunction<T>
        : T extends readonly unknown[]
          ? { [K in keyof T]: Arrives<T[K]> }
          : T extends object
            ? HasMethod<T> extends true
              ? Remote<T>
              : T
            : T

/** What may be given where `T` is wanted: a `T`, or the proxy of one. */
export type Given<T> =
  | T
  | (T extends object ? (T extends Copied | AnyFunction | readonly unknown[] ? never : Remote<T>) : never)
export type GivenAll<Args extends readonly unknown[]> = { [K in keyof Args]: Given<Args[K]> }

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

type RemoteCall<F extends AnyFunction> = (...args: GivenAll<Parameters<F>>) => Promise<Arrives<Awaited<ReturnType<F>>>>

/** A method as its proxy has it: one that gives a promise keeps its signature, others get one. */
export type RemoteMethod<F extends AnyFunction> = [ReturnType<F>] extends [never]
  ? RemoteCall<F>
  : ReturnType<F> extends Promise<infer R>
    ? Same<R, Arrives<R>> extends true
      ? F & RemoteCall<F>
      : RemoteCall<F>
    : RemoteCall<F>

/** A function of another thread. It gives a promise. */
export type RemoteFunction<F extends AnyFunction> = RemoteMethod<F> & Disposable

type Unreachable = 'then' | keyof object | 'constructor' | 'toString' | 'valueOf' | 'hasOwnProperty' | 'toLocaleString'

/**
 * The proxy of a `T` that lives on another thread. Methods give promises (one that gave a promise keeps
 * its signature), getters are promises, nothing can be assigned. Where a parameter is a `P`, a `Remote<P>`
 * may be given as well.
 *
 * @example
 * const mailbox: Remote<Mailbox> = await apartment.create('Mailbox')
 * await mailbox.count()
 */
export type Remote<T> =
  IsAny<T> extends true
    ? any
    : T extends AnyFunction
      ? RemoteFunction<T>
      : RemoteHandle & {
          readonly [K in Exclude<keyof T, Unreachable | symbol>]: T[K] extends AnyFunction
            ? RemoteMethod<T[K]>
            : Promise<Arrives<T[K]>>
        } & (T extends AsyncDisposable ? AsyncDisposable : unknown)

/** The names of a module's classes. */
export type ClassName<M> =
  IsAny<M> extends true ? string : { [K in keyof M]: M[K] extends AnyClass ? K : never }[keyof M] & string

/** What a module serves but its classes: functions to call, objects to get as proxies. */
export type RemoteModule<M> =
  IsAny<M> extends true
    ? any
    : RemoteHandle & {
        readonly [K in Exclude<keyof M, Unreachable | symbol> as M[K] extends AnyClass
          ? never
          : K]: M[K] extends AnyFunction
          ? RemoteMethod<M[K]>
          : Promise<M[K] extends RemoteHandle | Copied ? M[K] : M[K] extends object ? Remote<M[K]> : M[K]>
      }
