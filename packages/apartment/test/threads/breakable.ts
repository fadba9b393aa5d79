/** A module as users of other libraries have it: plain functions, served. */
import { blocking, type Remote } from '@flatshare/apartment'
import { registerError } from '@flatshare/core'

export class QuotaError extends Error {
  override name = 'QuotaError'
  constructor(readonly limit: number) {
    super(`More than ${limit}`)
  }
}
registerError(QuotaError)

export const never = (): Promise<void> => new Promise(() => {})

export const echo = <T>(value: T): T => value

export async function call<T>(callback: () => T): Promise<Awaited<T>> {
  return await callback()
}

export function exit(): never {
  process.exit(1)
}

/** So many bytes, characters and objects. */
export const large = (count: number): { bytes: Uint8Array; text: string; list: Array<{ i: number }> } => ({
  bytes: new Uint8Array(count).fill(7),
  text: 'é'.repeat(count),
  list: Array.from({ length: count / 16 }, (_, i) => ({ i })),
})

type Listener = (value: string) => unknown
const listeners = new Set<Listener>()
export const listen = (listener: Listener): number => listeners.add(listener).size
export const unlisten = (listener: Listener): boolean => listeners.delete(listener)
export const raise = (value: string): Promise<unknown[]> =>
  Promise.all([...listeners].map((listener) => listener(value)))

export async function nested(order: {
  lines: Array<{ bytes: ArrayBuffer; priced: (length: number) => number | Promise<number> }>
}): Promise<number[]> {
  return Promise.all(order.lines.map(async ({ bytes, priced }) => priced(bytes.byteLength)))
}

export function limited(limit: number): never {
  throw new QuotaError(limit)
}

/** Whether the prototypes of this thread are as they were. */
export const pristine = (): boolean => !('x' in ({} as object)) && !('x' in Function.prototype)

export interface Caller {
  callBack(callback: () => string): Promise<string>
}

/** Blocks on its caller, who calls back meanwhile. */
export function blockAndBeCalled(caller: Remote<Caller>): string {
  return blocking(caller).callBack(() => 'called back')
}
