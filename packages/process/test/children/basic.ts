/** A module that runs in a process of its own. */
import { existsSync, writeSync } from 'node:fs'
import { byReference } from '@flatshare/core'

export class Counter {
  #count: number
  constructor(start: number) {
    this.#count = start
  }
  add(amount: number): number {
    return (this.#count += amount)
  }
  async *upTo(end: number): AsyncGenerator<number> {
    for (let i = 0; i < end; i++) yield i
  }
}

export const pid = () => process.pid
export const argv = () => process.argv.slice(1)
export const environment = (name: string) => process.env[name]
export const twice = async (callback: (n: number) => Promise<number>) => (await callback(1)) + (await callback(2))
export const apply = (callback: () => unknown) => callback()
export const fail = () => {
  throw new RangeError('out of range', { cause: 'reasons' })
}
export const never = () => new Promise<never>(() => {})
export const made = () => byReference({ hello: () => 'there' })
export const say = (text: string) => console.log(text)
export const complain = (text: string) => console.error(text)
export const exit = (code: number) => process.exit(code)
export const killItself = () => process.kill(process.pid, 'SIGKILL')
export const crash = () => {
  setImmediate(() => {
    throw new TypeError('crashed')
  })
  return new Promise<never>(() => {})
}
export const compute = (milliseconds: number) => {
  const end = performance.now() + milliseconds
  while (performance.now() < end);
  return 'done'
}
/** Computes, without a pause, until there is such a file. */
export const computeUntil = (path: string) => {
  while (!existsSync(path));
  return 'done'
}

/** Says that it is about to, and then gives something long. */
export const flood = async (ready: () => unknown) => {
  await ready()
  return new Uint8Array(100_000_000)
}
export const garble = (bytes: Uint8Array) => {
  writeSync(3, bytes)
  return new Promise<never>(() => {})
}
