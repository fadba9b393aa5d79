/**
 * The types of shared values as programs write them, and what TypeScript makes of them.
 *
 *   written                          a value is
 *   'i8' … 'u32', 'f32', 'f64'       a number        'i64', 'u64'    a bigint        'bool'    a boolean
 *   'string'                         a string        'bytes'         a Uint8Array, copied in and out
 *   'json'                           any JSON-like value, frozen when it comes out
 *   'u32[24]', array('u32', 24)      a fixed number of numbers
 *   ['open', 'closed'], enumeration('open', 'closed'), enumeration(Color), Color    one of these
 *   ref(Account), ref(() => Account), Account                      an object of that class, or null
 */
import type { ArrayType, SharedArray } from './array-type.js'
import type { EnumerationType } from './enumeration-type.js'
import type { ReferenceType } from './reference-type.js'

/** Types of single numbers: integers by width, `i64` and `u64` as bigint, floating point. */
export type NumberTypeName = 'i8' | 'u8' | 'i16' | 'u16' | 'i32' | 'u32' | 'i64' | 'u64' | 'f32' | 'f64'

/** Types of which one machine access reads a value whole. */
export type ScalarName = NumberTypeName | 'bool'

type AnyClass = abstract new (...args: any[]) => object

/** An `enum` of TypeScript, as it is at run time. */
export type EnumObject = Readonly<Record<string, string | number>>

/** What `@Shared`, descriptions and containers take for a type. */
export type SharedType =
  | ScalarName
  | 'string'
  | 'bytes'
  | 'json'
  | `${NumberTypeName}[${number}]`
  | readonly string[]
  | EnumerationType<any>
  | ArrayType<any>
  | ReferenceType<any>
  | AnyClass
  | EnumObject

/** A number's value in a program. */
export type NumberOf<N> = N extends 'i64' | 'u64' ? bigint : number

type ValueBut<T, FixedArray, Json> = T extends 'bool'
  ? boolean
  : T extends ScalarName
    ? NumberOf<T>
    : T extends 'string'
      ? string
      : T extends 'bytes'
        ? Uint8Array
        : T extends 'json'
          ? Json
          : T extends `${NumberTypeName}[${number}]` | ArrayType<any>
            ? FixedArray
            : T extends EnumerationType<infer V>
              ? V
              : T extends ReferenceType<infer Instance>
                ? Instance | null
                : T extends readonly (infer Name)[]
                  ? Name
                  : T extends abstract new (
                        ...args: any[]
                      ) => infer Instance
                    ? Instance | null
                    : T extends EnumObject
                      ? T[keyof T]
                      : never

type ElementOf<T> = T extends `${infer N extends NumberTypeName}[${number}]`
  ? NumberOf<N>
  : T extends ArrayType<infer N>
    ? NumberOf<N>
    : never

/** What a field of the type holds. */
export type ValueOf<T> = ValueBut<T, SharedArray<ElementOf<T>>, any>

/** What goes into a container's place of the type. */
export type ValueIn<T> = ValueBut<T, ArrayLike<ElementOf<T>>, unknown>

type Named = ScalarName | 'string' | 'bytes' | 'json'

/** The types that a container of values of a given type may be made with. */
export type TypeFor<V> =
  | Exclude<SharedType, Named>
  | { [Name in Named]: [V] extends [ValueIn<Name>] ? Name : never }[Named]

/** What comes out of it: fixed arrays as plain copies, JSON-like values frozen. */
export type ValueOut<T> = ValueBut<T, readonly ElementOf<T>[], any>

/**
 * A type whose values can't be changed at any depth: what a `json` value is when it comes out. A change
 * would be this thread's alone, and lost; set the whole value instead.
 */
export type DeepReadonly<T> = T extends (...args: any[]) => unknown
  ? T
  : T extends ReadonlyMap<infer K, infer V>
    ? ReadonlyMap<DeepReadonly<K>, DeepReadonly<V>>
    : T extends ReadonlySet<infer V>
      ? ReadonlySet<DeepReadonly<V>>
      : T extends Date
        ? Omit<Date, `set${string}`>
        : T extends ArrayBufferView | ArrayBuffer | RegExp
          ? T
          : T extends object
            ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
            : T
