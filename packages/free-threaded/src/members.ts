/**
 * The member decorators. They only note; the class decorator acts.
 *
 * reflect-metadata is loaded for the legacy dialect: there compilers can emit the type of a property,
 * and `@Shared()` takes its own from that.
 */
import 'reflect-metadata/lite'
import { FlatshareError } from '@flatshare/core'
import { type MemberContext, noteMember } from '@flatshare/core/internal'
import { isSharedType, type SharedType, scalarTypes } from './scalar-types.js'
import { label } from './shape.js'

type ValueOf<T extends SharedType> = T extends 'bool' ? boolean : T extends 'i64' | 'u64' ? bigint : number

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
 * A field that was given no value is zero, or false. Inside a method it is plain memory. From outside,
 * reading it is atomic by itself, and writing it takes the object's lock.
 *
 * Types are `'i8'` to `'u32'`, `'i64'` and `'u64'` (bigint), `'f32'`, `'f64'` and `'bool'`. Without one,
 * the legacy dialect with `emitDecoratorMetadata` takes f64 for a field declared as `number` and bool for
 * `boolean`; elsewhere that is an error.
 *
 * Setting a value that the type can't hold exactly throws a TypeError (another kind of value) or a
 * RangeError and writes nothing; `f32` alone rounds.
 *
 * @throws FlatshareError where it decorates something that is no field, or an unknown type is named.
 * @example
 * class Account { @Shared('f64') balance = 0 }
 */
export function Shared<T extends SharedType>(type: T): SharedDecorator<ValueOf<T>>
export function Shared(): SharedDecorator<number | bigint | boolean>
export function Shared(prototype: object, key: PropertyKey, descriptor?: PropertyDescriptor): void
export function Shared(value: unknown, context: ClassFieldDecoratorContext | ClassAccessorDecoratorContext): void
export function Shared(first?: unknown, key?: MemberContext, descriptor?: PropertyDescriptor): unknown {
  if (key !== undefined) return share(undefined, first, key, descriptor)
  return (target: unknown, member: MemberContext, descriptor?: PropertyDescriptor) =>
    share(first, target, member, descriptor)
}

function share(
  type: unknown,
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
  noteMember(target, member, {
    decorator: 'Shared',
    type: checkedType(type ?? inferredType(target, member, name), name),
  })
}

/** @throws FlatshareError for a type that doesn't exist. */
export function checkedType(type: unknown, member: string): SharedType {
  if (isSharedType(type)) return type
  throw new FlatshareError(
    `@Shared(${typeof type === 'string' ? `'${type}'` : String(type)}) on ${member}: there is no such type. ` +
      `The types are ${Object.keys(scalarTypes).join(', ')}.`,
  )
}

function inferredType(target: unknown, member: MemberContext, name: string): SharedType {
  const read = (Reflect as { getMetadata?: (key: string, target: object, member: PropertyKey) => unknown }).getMetadata
  const declared = typeof member === 'object' ? undefined : read?.('design:type', target as object, member)
  if (declared === Number) return 'f64'
  if (declared === Boolean) return 'bool'
  const why =
    typeof declared === 'function' && declared !== Object
      ? `the compiler says that it is a ${declared.name}, which doesn't settle it`
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
