/** What types say of how a value crosses; nothing of it exists when a program runs. */

/** Type only: the key of what `CrossesAsItself` says. */
export declare const crossesAsItself: unique symbol

/**
 * Type only: an object of this type arrives on other threads as what it is, with its synchronous methods, not as a
 * proxy: it is free-threaded, a lock, or of a class with a codec. Decorators can't change a type, so a class says it in
 * a line that leaves nothing behind. `Remote` heeds it in parameters, results and getters.
 *
 * @example
 * import type { CrossesAsItself, crossesAsItself } from '@flatshare/core'
 *
 * @FreeThreaded()
 * class Account implements CrossesAsItself {
 *   declare readonly [crossesAsItself]?: true
 * }
 */
export interface CrossesAsItself {
  readonly [crossesAsItself]?: true
}

/**
 * Type only: a `T` that arrives on other threads as itself, said where it is used. Every `T` can be given where an
 * `AsItself<T>` is wanted.
 *
 * @example
 * credit(account: AsItself<Account>): AsItself<Receipt>
 */
export type AsItself<T> = T & CrossesAsItself
