/** A process that others come to by a socket. */
import { byReference } from '@flatshare/core'
import { type Listener, type ListenOptions, listen } from '@flatshare/process'

export class Counter {
  #count = 0
  add(amount: number): number {
    return (this.#count += amount)
  }
}

let listener: Listener | undefined
const refused: string[] = []
const waiting: Array<() => void> = []

export const start = async (options: ListenOptions) => {
  const onRefused = (reason: Error) => {
    refused.push(reason.message)
    for (const tell of waiting.splice(0)) tell()
  }
  listener = await listen({ ...options, onRefused })
  return listener.place
}
export const stop = () => listener!.close()
export const connections = () => listener!.connections
/** Why the first so many were refused, once they were. */
export const refusals = async (count: number) => {
  while (refused.length < count) await new Promise<void>((resolve) => waiting.push(resolve))
  return refused.slice(0, count)
}
export const pid = () => process.pid
export const echo = (value: unknown) => value
export const call = (callback: (n: number) => unknown) => callback(21)
export const never = () => new Promise<never>(() => {})
export const shared = byReference(new Counter())
