/** Functions as types take them apart: each overload, as far as four. */
import type { AnyFunction, Arrives, Fit, GivenAll, IsAny, IsIterator, Same } from './crossing-types.js'

/** One signature: its parameters, its result. */
type Signature = [args: any[], result: any]

/** The last four overloads. */
type Signatures<F extends AnyFunction> = F extends {
  (...args: infer A1): infer R1
  (...args: infer A2): infer R2
  (...args: infer A3): infer R3
  (...args: infer A4): infer R4
}
  ? [...Unless<[A1, R1], [A2, R2]>, ...Unless<[A2, R2], [A3, R3]>, ...Unless<[A3, R3], [A4, R4]>, [A4, R4]]
  : F extends (...args: infer A) => infer R
    ? [[A, R]]
    : never

/** Where there are fewer than four, the compiler repeats the first. */
type Unless<S extends Signature, Next extends Signature> = Same<S, Next> extends true ? [] : [S]

/** What a call of a method with this result gives. */
type RemoteResult<R> =
  IsAny<R> extends true
    ? Promise<any>
    : [R] extends [never]
      ? Promise<never>
      : [IsIterator<R>] extends [true]
        ? RemoteIterator<R>
        : Promise<Arrives<Awaited<R>>>

/** Iterators are iterated at once; what is merely iterable may also arrive as an array or a set. */
type RemoteIterator<R> = R extends AsyncIterable<any> | Iterator<any, any, any>
  ? Arrives<R>
  : R extends Iterable<infer Y>
    ? Promise<Iterable<Arrives<Y>> | AsyncIterable<Arrives<Y>>> & AsyncIterable<Arrives<Y>>
    : Promise<Arrives<R>>

/** What a blocking call gives. */
type BlockingResult<R> = IsAny<R> extends true ? any : [R] extends [never] ? never : Arrives<Awaited<R>>

/** Whether a method's own signature is as good on a proxy, so that generics and names are kept. */
type KeepsResult<R, Result> = IsAny<R> extends true ? false : [R] extends [never] ? false : Same<R, Result>

/** Over all signatures: whether each keeps its own, and what more may be given. */
type Verdict<S, Way extends keyof Results<any>> = S extends readonly [infer First extends Signature, ...infer Rest]
  ?
      | (KeepsResult<First[1], Results<First[1]>[Way]> extends true ? never : 'other')
      | Fit<First[0][number]>
      | Verdict<Rest, Way>
  : never

interface Results<R> {
  remote: RemoteResult<R>
  blocking: BlockingResult<R>
}

type Calls<S, Way extends keyof Results<any>> = S extends readonly [infer First extends Signature, ...infer Rest]
  ? Rest extends readonly []
    ? (...args: GivenAll<First[0]>) => Results<First[1]>[Way]
    : ((...args: GivenAll<First[0]>) => Results<First[1]>[Way]) & Calls<Rest, Way>
  : unknown

/** A method from afar. One whose results and parameters need no change keeps its signature whole. */
export type CallFrom<F extends AnyFunction, Way extends keyof Results<any>> =
  IsAny<F> extends true
    ? any
    : 'other' extends Verdict<Signatures<F>, Way>
      ? Calls<Signatures<F>, Way>
      : 'more' extends Verdict<Signatures<F>, Way>
        ? F & Calls<Signatures<F>, Way>
        : F
