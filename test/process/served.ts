/** What another process, or a thread, does with what it is given. */
import {
  type AdviseConnection,
  blocking,
  currentCall,
  currentThread,
  homeOf,
  type Mutex,
  modelOf,
  type Progress,
  requireModel,
} from 'flatshare'
import { type Account, Counter } from './things.js'

export { Counter }

let held: any
let guard: any
let connection: AdviseConnection | undefined
const heard: unknown[] = []

export const keep = (x: unknown): void => {
  held = x
}
export const kept = (): unknown => held
export const same = (x: unknown): boolean => x === held
export const models = (x: object): unknown => [modelOf(x), homeOf(x)]
export const requireFree = (x: object): void => void requireModel(x, 'free')
export const deposit = (account: Account, amount: number): unknown => account.deposit(amount)
export const depositBlocking = (account: any, amount: number): unknown => (blocking(account) as any).deposit(amount)
export const fails = async (counter: any): Promise<unknown> => await counter.nothing()
export const add = (counter: Counter, n: number): unknown => counter.add(n)
export const name = (): string => currentThread.name
export const pid = (): number => process.pid
export const deadlineOf = (counter: { deadline(): unknown }): unknown => counter.deadline()
export const myDeadline = (): number | undefined => currentCall()!.deadline

export const lock = async (mutex: Mutex): Promise<void> => {
  guard = await mutex.lock()
}
export const unlock = (): unknown => guard.release()
export const dropGuard = (): void => guard[Symbol.dispose]()
export const exclusively = (mutex: Mutex, act: () => unknown): unknown => mutex.runExclusive(() => act())

/** A map of another process. */
interface FarMap {
  readonly size: Promise<number>
  set(key: string, value: number): Promise<unknown>
  entries(): AsyncIterable<unknown>
}

export const fill = async (map: FarMap): Promise<unknown> => {
  await map.set('there', 2)
  const entries: unknown[] = []
  for await (const entry of map.entries()) entries.push(entry)
  return [await map.size, entries]
}

export const work = (progress: Progress, items: number): boolean => progress.advance(items)
export const workUntilCancelled = async (progress: Progress): Promise<unknown> => {
  await new Promise((resolve) => progress.signal.addEventListener('abort', resolve, { once: true }))
  return progress.signal.reason
}
export const finish = (progress: Progress): void => progress.done()

/** An advise source of another process. */
interface FarSource {
  advise(events: '*', sink: (batch: readonly unknown[]) => void): Promise<AdviseConnection>
}

export const subscribe = async (source: FarSource): Promise<void> => {
  connection = await source.advise('*', (batch: readonly unknown[]) => void heard.push(...batch))
}
export const unsubscribe = (): unknown => connection!.unadvise()
export const whatWasHeard = (): unknown[] => heard

export const spinUntilAborted = (): number => {
  const { signal } = currentCall()!
  let rounds = 0
  while (!signal.aborted) rounds++
  return rounds
}
