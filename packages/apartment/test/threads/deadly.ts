/** A thread that dies in many ways, for programs that must outlive it. */
import { ApartmentThreaded } from '@flatshare/apartment'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

export function exit(): never {
  process.exit(1)
}

export async function exitLater(): Promise<never> {
  await turn()
  process.exit(1)
}

export function throwLater(): Promise<never> {
  setImmediate(() => {
    throw new Error('uncaught')
  })
  return new Promise(() => {})
}

/** Nothing comes of it; a program that waits for it goes on. */
export function never(entered?: () => unknown): Promise<never> {
  void entered?.()
  return new Promise(() => {})
}

/** Its calls, one at a time, never end. */
@ApartmentThreaded()
export class Deaf {
  never(entered: () => unknown): Promise<never> {
    return never(entered)
  }
}

export function* countAndExit(): Generator<number> {
  yield 1
  process.exit(1)
}

export const double = (x: number): number => 2 * x
