/** What `blocking` gives. */
import type { AnyFunction, Arrives, IsAny, IsHandle } from './crossing-types.js'
import type { RemoteBrand, RemoteHandle, RemoteSymbols, Unreachable } from './remote.js'
import type { CallFrom } from './signatures.js'

/** A method whose call blocks: it gives the awaited result. */
export type BlockingMethod<F extends AnyFunction> = CallFrom<F, 'blocking'>

/**
 * The members of a `T` that lives on another thread, synchronous: methods give their awaited result, getters their
 * value. A `Blocking<Remote<T>>` is a `Blocking<T>`. Iterators stay asynchronous.
 *
 * @example
 * const mailbox: Blocking<Mailbox> = blocking(remoteMailbox)
 * mailbox.count() // a number
 */
export type Blocking<T> =
  IsAny<T> extends true
    ? any
    : IsHandle<T> extends true
      ? T extends RemoteBrand<infer X>
        ? BlockingOf<X>
        : never
      : BlockingOf<T>

type BlockingOf<T> =
  IsAny<T> extends true
    ? any
    : T extends AnyFunction
      ? BlockingMethod<T> & RemoteHandle<T>
      : RemoteHandle<T> & {
          readonly [K in Exclude<keyof T, Unreachable | symbol>]: T[K] extends AnyFunction
            ? BlockingMethod<T[K]>
            : Arrives<Awaited<T[K]>>
        } & RemoteSymbols<T>
