/** What becomes of types on their way between threads. */
import type { CrossesAsItself } from '@flatshare/core'
import type { Port } from '@flatshare/core/internal'
import type { Remote, RemoteBrand, RemoteFunction, RemoteHandle, Unreachable } from './remote.js'

export type AnyFunction = (...args: any) => any
export type AnyClass = abstract new (...args: any) => any
type Primitive = string | number | bigint | boolean | null | undefined | void

export type IsAny<T> = 0 extends 1 & T ? true : false
export type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** The instances of those global classes that the program's libraries have: a name that one lacks would be any. */
type Instances<Names extends string> = {
  [N in Names]: typeof globalThis extends Record<N, { prototype: infer T }> ? T : never
}[Names]

/** What arrives as what it was: copied whole, moved, or live. */
type Whole =
  | Date
  | RegExp
  | (Error & { readonly stack?: string })
  | ArrayBuffer
  | SharedArrayBuffer
  | ArrayBufferView
  | (Port & { start(): void })
  | Instances<
      | 'AbortSignal'
      | 'AudioData'
      | 'Blob'
      | 'CryptoKey'
      | 'DOMMatrixReadOnly'
      | 'DOMPointReadOnly'
      | 'DOMQuad'
      | 'DOMRectReadOnly'
      | 'FileList'
      | 'FileSystemHandle'
      | 'ImageBitmap'
      | 'ImageData'
      | 'OffscreenCanvas'
      | 'ReadableStream'
      | 'RTCDataChannel'
      | 'TransformStream'
      | 'URL'
      | 'URLSearchParams'
      | 'VideoFrame'
      | 'WritableStream'
    >

type Refused = Promise<any> | WeakMap<WeakKey, any> | WeakSet<WeakKey> | WeakRef<WeakKey>

/** Why something can't be given: nothing is of this type. */
declare const why: unique symbol
export interface CannotCross<Why extends string> {
  readonly [why]: Why
}

/** An error has all three: what merely has a name and a message is some other object. */
type IsWhole<T> = T extends Whole ? (T extends Error ? ('stack' extends keyof T ? true : false) : true) : false
type IsAsItself<T> = keyof CrossesAsItself extends keyof T ? true : false
/** Whether it is a proxy. (Anything disposable would be assignable to a handle.) */
export type IsHandle<T> = keyof RemoteBrand<any> extends keyof T ? true : false

/** Whether an object has a method, and so crosses by reference. */
type HasMethod<T> = true extends {
  [K in keyof T]-?: IsAny<T[K]> extends true
    ? never
    : [NonNullable<T[K]>] extends [never]
      ? never
      : NonNullable<T[K]> extends AnyFunction
        ? true
        : never
}[keyof T]
  ? true
  : false

/** The methods of iterators, those that only newer libraries give them too. */
type IteratorMethod =
  | 'next'
  | 'return'
  | 'throw'
  | 'map'
  | 'filter'
  | 'take'
  | 'drop'
  | 'flatMap'
  | 'reduce'
  | 'toArray'
  | 'forEach'
  | 'some'
  | 'every'
  | 'find'

/** An iterator, generator or iterable that is nothing else besides. */
export type IsIterator<T> =
  IsAny<T> extends true
    ? false
    : T extends AsyncIterable<any> | Iterator<any, any, any> | Iterable<any>
      ? T extends Whole | readonly unknown[] | string
        ? false
        : Exclude<keyof T, symbol | IteratorMethod> extends never
          ? true
          : false
      : false

/** How far types are followed into plain objects: far enough for people, near enough for compilers. */
type Deeper<D extends 1[]> = [...D, 1]
type TooDeep = [1, 1, 1, 1]

/**
 * How a value of another thread is found here: objects with methods as proxies, iterators as asynchronous ones, data
 * as copies with the same inside. `never`: it can't cross, and the call rejects.
 */
export type Arrives<T, D extends 1[] = []> =
  IsAny<T> extends true
    ? any
    : T extends Primitive
      ? T
      : T extends symbol | AnyClass
        ? never
        : T extends AnyFunction
          ? IsHandle<T> extends true
            ? T
            : RemoteFunction<T>
          : true extends IsHandle<T> | IsAsItself<T> | IsWhole<T>
            ? T
            : T extends object
              ? D extends TooDeep
                ? T
                : ArrivesObject<T, Deeper<D>>
              : T

type ArrivesObject<T extends object, D extends 1[]> = T extends readonly unknown[]
  ? { [K in keyof T]: Arrives<T[K], D> }
  : T extends ReadonlyMap<infer K, infer V>
    ? T extends Map<any, any>
      ? Map<Arrives<K, D>, Arrives<V, D>>
      : ReadonlyMap<Arrives<K, D>, Arrives<V, D>>
    : T extends ReadonlySet<infer V>
      ? T extends Set<any>
        ? Set<Arrives<V, D>>
        : ReadonlySet<Arrives<V, D>>
      : T extends Refused
        ? never
        : IsIterator<T> extends true
          ? ArrivesIterator<T, D>
          : HasMethod<T> extends true
            ? Remote<T>
            : ArrivesData<T, D>

type ArrivesIterator<T, D extends 1[]> = T extends
  | AsyncGenerator<infer Y, infer R, infer N>
  | Generator<infer Y, infer R, infer N>
  ? AsyncGenerator<Arrives<Y, D>, Arrives<R, D>, N>
  : T extends AsyncIterator<infer Y, infer R, infer N>
    ? AsyncIterableIterator<Arrives<Y, D>, Arrives<R, D>, N>
    : T extends Iterator<infer Y, infer R, infer N>
      ? AsyncIterableIterator<Arrives<Y, D>, Arrives<R, D>, N>
      : T extends AsyncIterable<infer Y>
        ? AsyncIterable<Arrives<Y, D>>
        : T extends Iterable<infer Y>
          ? Iterable<Arrives<Y, D>> | AsyncIterable<Arrives<Y, D>>
          : T

type ArrivesData<T extends object, D extends 1[]> = true extends {
  [K in keyof T]-?: Same<Arrives<T[K], D>, T[K]> extends true ? never : true
}[keyof T]
  ? { [K in keyof T]: Arrives<T[K], D> }
  : T

/** What a getter of what is served gives: data, too, is a proxy there. */
export type Served<V> = true extends IsAny<V> | IsHandle<V> | IsAsItself<V> | IsWhole<V> | IsIterator<V>
  ? Arrives<V>
  : V extends ReadonlyMap<any, any> | ReadonlySet<any>
    ? Arrives<V>
    : V extends object
      ? Remote<V>
      : Arrives<V>

/** What may be given where another thread wants a `T`: a `T`, or its proxy; inside plain objects and arrays too. */
export type Given<T, D extends 1[] = []> =
  IsAny<T> extends true
    ? any
    : T extends Primitive
      ? T
      : T extends symbol
        ? CannotCross<"A symbol can't cross to another thread">
        : T extends AnyClass
          ? CannotCross<"A class can't cross to another thread: serve it there, and create it by name">
          : IsHandle<T> extends true
            ? T | GivenOwn<T>
            : T extends AnyFunction
              ? GivenFunction<T>
              : true extends IsAsItself<T> | IsWhole<T>
                ? T
                : T extends object
                  ? D extends TooDeep
                    ? T
                    : GivenObject<T, Deeper<D>>
                  : T

/** Where a proxy is wanted, an object of this thread arrives as one. */
type GivenOwn<T> = T extends RemoteBrand<infer X> ? (X extends AnyFunction ? GivenFunction<X> : X) : never

type GivenObject<T extends object, D extends 1[]> = T extends readonly unknown[]
  ? { [K in keyof T]: Given<T[K], D> }
  : T extends ReadonlyMap<infer K, infer V>
    ? T | (T extends Map<any, any> ? Map<Given<K, D>, Given<V, D>> : ReadonlyMap<Given<K, D>, Given<V, D>>)
    : T extends ReadonlySet<infer V>
      ? T | (T extends Set<any> ? Set<Given<V, D>> : ReadonlySet<Given<V, D>>)
      : T extends Promise<any>
        ? CannotCross<"A promise can't cross to another thread: await it first">
        : T extends Refused
          ? CannotCross<"What holds its members weakly can't cross to another thread">
          : true extends IsIterator<T>
            ? T
            : HasMethod<T> extends true
              ? T | ProxyOf<T>
              : GivenData<T, D>

/**
 * Any `Remote<T>`, as far as a parameter must know it. Its methods have no signatures here: beside those of `T` they would
 * keep the compiler from inferring the parameters of an object literal's methods.
 */
type ProxyOf<T> = RemoteHandle<T> & {
  readonly [K in Exclude<keyof T, Unreachable | symbol>]: T[K] extends AnyFunction ? Function : Promise<unknown>
}

type GivenData<T extends object, D extends 1[]> =
  | ProxyOf<T>
  | ('other' extends Fit<T[keyof T], D> ? never : T)
  | ([Fit<T[keyof T], D>] extends ['same'] ? never : { [K in keyof T]: Given<T[K], D> })

/** A function is called from afar: it is given what arrives, and may give a promise. */
type GivenFunction<F extends AnyFunction> = F extends (...args: infer A) => infer R
  ? (...args: ArriveAll<A>) => GivenResult<R>
  : never

type GivenResult<R> =
  IsAny<R> extends true
    ? any
    : [R] extends [void]
      ? R
      : unknown extends R
        ? R
        : Given<Awaited<R>> | PromiseLike<Given<Awaited<R>>>

/**
 * How what may be given for a `T` compares with it: it is the same, it is a `T` or more than that, or a `T` itself may
 * not be given as such. Asked without comparing an object with its proxy, which would never end.
 */
export type Fit<T, D extends 1[] = []> =
  IsAny<T> extends true
    ? 'same'
    : T extends Primitive
      ? 'same'
      : T extends symbol | AnyClass
        ? 'other'
        : IsHandle<T> extends true
          ? 'more'
          : T extends (...args: infer A) => infer R
            ? Same<ArriveAll<A>, A> extends true
              ? [R] extends [void]
                ? 'same'
                : 'more'
              : 'other'
            : true extends IsAsItself<T> | IsWhole<T>
              ? 'same'
              : T extends object
                ? D extends TooDeep
                  ? 'same'
                  : FitObject<T, Deeper<D>>
                : 'same'

type FitObject<T extends object, D extends 1[]> = T extends readonly (infer E)[]
  ? Fit<E, D>
  : T extends ReadonlyMap<infer K, infer V>
    ? Fit<K, D> | Fit<V, D>
    : T extends ReadonlySet<infer V>
      ? Fit<V, D>
      : T extends Refused
        ? 'other'
        : IsIterator<T> extends true
          ? 'same'
          : HasMethod<T> extends true
            ? 'more'
            : 'more' | Fit<T[keyof T], D>

export type ArriveAll<A extends readonly any[]> = { [K in keyof A]: Arrives<A[K]> }
export type GivenAll<A extends readonly any[]> = { [K in keyof A]: Given<A[K]> }
