/**
 * The member decorators. They only note; the class decorator acts.
 *
 * reflect-metadata is loaded for the legacy dialect: there compilers can emit the type of a property,
 * and `@Shared()` takes its own from that.
 */
import 'reflect-metadata/lite'
import { FlatshareError } from '@flatshare/core'
import { type MemberContext, noteMember } from '@flatshare/core/internal'
import { cellTypeOf } from './cells/types.js'
import type { SharedType, ValueOf } from './cells/value-types.js'
import { label, shapeOf } from './shape.js'

/** Decorates a field, or a member declared with `accessor`, in either dialect. */
export interface SharedDecorator<V> {
  <This, Value extends V>(value: undefined, context: ClassFieldDecoratorContext<This, Value>): void
  <This, Value extends V>(
    value: ClassAccessorDecoratorTarget<This, Value>,
    context: ClassAccessorDecoratorContext<This, Value>,
  ): void
  (prototype: object, key: PropertyKey, descriptor?: PropertyDescriptor): void
}

/**
 * Puts a field of a free-threaded class into shared memory: every thread that has the object sees it.
 *
 * | type | a value is | a field that was given none has |
 * | --- | --- | --- |
 * | `'i8'` … `'u32'`, `'f32'`, `'f64'` | a number | 0 |
 * | `'i64'`, `'u64'` | a bigint | 0n |
 * | `'bool'` | a boolean | false |
 * | `'string'` | a string, of any length and any code units | '' |
 * | `'bytes'` | a `Uint8Array`: copied in, a copy out | an empty one |
 * | `'json'` | a JSON-like value, also with `Date`, `Map`, `Set`, bigint, `undefined`: frozen when it comes out | undefined |
 * | `'u32[24]'`, `array('u32', 24)` | so many numbers; the field gives a live `SharedArray` | zeros |
 * | `['open', 'closed']`, `enumeration(Color)`, `Color` | one of these | the first |
 * | `ref(Account)`, `ref(() => Account)`, `Account` | an object of the class, or null | null |
 *
 * Classes are those with `@FreeThreaded`, the containers, and the primitives of `@flatshare/sync`.
 * Without a type, the legacy dialect with `emitDecoratorMetadata` takes the declared one: `number` is f64,
 * `bigint` i64, `boolean` bool, `string` string, `Uint8Array` bytes, arrays, `Map`, `Set` and `Date` json, a
 * free-threaded class a reference to it; elsewhere that is an error.
 *
 * Inside a method a field is plain memory. From outside, reading it is atomic by itself, and writing it
 * takes the object's lock. Setting a value that the type can't hold exactly throws a TypeError (another
 * kind of value) or a RangeError and writes nothing; `f32` alone rounds. What comes out of a `'json'`
 * field can't be changed, so declare it as `DeepReadonly`.
 *
 * @throws FlatshareError where it decorates something that is no field, or an unknown type is named.
 * @example
 * class Account {
 *   @Shared('f64') balance = 0
 *   @Shared('string') owner = ''
 *   @Shared(ref(() => Account)) guarantor: Account | null = null
 * }
 */
export function Shared<const T extends SharedType>(type: T): SharedDecorator<ValueOf<T>>
export function Shared(): SharedDecorator<any>
export function Shared(prototype: object, key: PropertyKey, descriptor?: PropertyDescriptor): void
export function Shared(value: unknown, context: ClassFieldDecoratorContext | ClassAccessorDecoratorContext): void
export function Shared(...args: readonly unknown[]): unknown {
  // Bare. (A type comes alone; what is decorated comes with its key.)
  if (args.length > 1) return share({}, args[0], args[1] as MemberContext, args[2] as PropertyDescriptor | undefined)
  const given = args.length === 0 ? {} : { type: args[0] }
  return (target: unknown, member: MemberContext, descriptor?: PropertyDescriptor) =>
    share(given, target, member, descriptor)
}

function share(
  given: { readonly type?: unknown },
  target: unknown,
  member: MemberContext,
  descriptor: PropertyDescriptor | undefined,
): void {
  const name = label(typeof member === 'object' ? member.name : member)
  const isField =
    typeof member === 'object'
      ? member.kind === 'field' || member.kind === 'accessor'
      : !descriptor || (descriptor.get !== undefined && descriptor.set !== undefined)
  if (!isField)
    throw new FlatshareError(
      `@Shared can't decorate ${name}: it takes a field, and this is a method or half an accessor.`,
    )
  if ('type' in given && given.type === undefined) {
    throw new FlatshareError(
      `@Shared(undefined) on ${name}: the class is not there yet, as where modules import each other. Name it by a ` +
        'function: @Shared(ref(() => Account)).',
    )
  }
  noteMember(target, member, {
    decorator: 'Shared',
    type: checkedType(given.type ?? inferredType(target, member, name), name),
  })
}

/** @throws FlatshareError for a type that doesn't exist. */
export function checkedType(type: unknown, member: string): SharedType {
  cellTypeOf(type as SharedType, member)
  return type as SharedType
}

/** What the names of types stand for in the metadata that compilers emit. */
const declaredTypes = new Map<unknown, SharedType>([
  [Number, 'f64'],
  [Boolean, 'bool'],
  [String, 'string'],
  [BigInt, 'i64'],
  [Uint8Array, 'bytes'],
  [Array, 'json'],
  [Map, 'json'],
  [Set, 'json'],
  [Date, 'json'],
])

function inferredType(target: unknown, member: MemberContext, name: string): SharedType {
  const read = (Reflect as { getMetadata?: (key: string, target: object, member: PropertyKey) => unknown }).getMetadata
  const declared = typeof member === 'object' ? undefined : read?.('design:type', target as object, member)
  const known = declaredTypes.get(declared)
  if (known !== undefined) return known
  if (typeof declared === 'function' && declared.prototype && shapeOf(declared.prototype as object)) {
    return declared as abstract new (
      ...args: any[]
    ) => object
  }
  const why =
    typeof declared === 'function'
      ? declared === Object
        ? 'the compiler only says Object, as of a union, an interface or a type with null'
        : `the compiler says that it is a ${declared.name}, which doesn't settle it`
      : 'the compiler doesn\'t tell it (only legacy decorators with "emitDecoratorMetadata" do)'
  throw new FlatshareError(`@Shared() on ${name} needs a type: ${why}. Write for example @Shared('f64').`)
}

/** Decorates a method or accessor, in either dialect. */
export type UnlockedDecorator = (target: unknown, member: MemberContext, descriptor?: PropertyDescriptor) => void

/**
 * Runs a method or accessor of a free-threaded class without the object's lock: its author vouches for
 * it. Other threads run methods of the same object meanwhile; each field that it reads is whole by
 * itself, several are not consistent, and each field that it writes takes the lock for that one write.
 *
 * @throws FlatshareError on a static or private (#) member.
 */
export function Unlocked(): UnlockedDecorator
export function Unlocked(target: unknown, member: MemberContext, descriptor?: PropertyDescriptor): void
export function Unlocked(...args: [] | [unknown, MemberContext, PropertyDescriptor?]): unknown {
  const decorate: UnlockedDecorator = (target, member) => noteMember(target, member, { decorator: 'Unlocked' })
  return args.length === 0 ? decorate : decorate(args[0], args[1])
}
