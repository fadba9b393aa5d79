/** What another process, or a thread, does with what it is given. */
import {
  type AdviseConnection,
  Apartment,
  blocking,
  callWith,
  currentCall,
  currentThread,
  DowngradeError,
  homeOf,
  locked,
  Mutex,
  modelOf,
  type Progress,
  requireModel,
} from 'flatshare'
import { listen, socket } from 'flatshare/process'
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

/** Locks it by code that holds it. */
export const twice = (mutex: Mutex): unknown => mutex.runExclusive(() => mutex.runExclusive(() => 'both'))

/** Takes a lock of another process, and keeps it. */
export const take = async (lock: any, method: string): Promise<boolean> => {
  guard = await lock[method]()
  return await guard.abandoned
}
/** Runs something with a lock of another process, and never ends; `begun` hears that it has begun. */
export const takeFor = (lock: any, method: string, begun: () => unknown): unknown =>
  lock[method](async () => {
    await begun()
    await new Promise(() => {})
  })
/** Asks for a lock of another process; `asked` comes there after that. */
export const askFor = async (lock: any, method: string, asked: () => unknown): Promise<unknown> => {
  const [taken] = await Promise.all([lock[method](), asked()])
  return taken
}
/** The same, and gives it up; `asked` comes there after that, too. */
export const giveUp = async (mutex: Mutex, asked: () => unknown): Promise<unknown> => {
  const abort = new AbortController()
  const locking = callWith(mutex, { signal: abort.signal }).lock() as Promise<unknown>
  const given = locking.catch((reason: unknown) => reason)
  await asked()
  abort.abort('not now')
  await asked()
  return given
}
/** What a lock, or a queue, of another process says to a call that doesn't await; undefined where it makes it. */
export const refusal = (lock: any, member: string): string | undefined => refused(lock, member)
export const refusalBlocking = (lock: any, member: string): string | undefined => refused(blocking(lock), member)
function refused(lock: any, member: string): string | undefined {
  try {
    void lock[member](() => {})
    return undefined
  } catch (error) {
    if (error instanceof DowngradeError) return error.message
    throw error
  }
}
/** Takes a lock of another process by a call that blocks, and keeps its guard, if it gives one. */
export const takeBlocking = (lock: any, member: string): boolean => {
  guard = (blocking(lock) as any)[member]()
  return guard !== undefined
}
/** Runs a function of this process with a lock of another one; `seen` is called by that one's way. */
export const runBlocking = (mutex: any, seen: () => unknown): unknown =>
  (blocking(mutex) as any).runExclusive(() => (blocking(seen) as any)())
/** Makes the guard that is kept one that writes. */
export const upgrade = async (): Promise<void> => {
  guard = await guard.upgrade()
}
export const refusalOfGuard = (member: string): string | undefined => refused(guard, member)
export const lockNow = async (mutex: Mutex): Promise<unknown> => {
  try {
    guard = await mutex.lock({ timeout: 0 })
    return 'has it'
  } catch (error) {
    return (error as Error).name
  }
}
export const newMutex = (): Mutex => new Mutex()
export const lockedBy = (account: Account): unknown => locked([account], () => 'inside')

/** Asks for a lock of another process, and isn't told that it has it. */
export const lockUnheard = (mutex: Mutex): unknown => callWith(mutex, { reply: false }).lock()

/** Others may come to this process. */
export const listenAt = async (path: string): Promise<void> => {
  await listen({ path })
}
/** Comes to one that listens; says whether that keeps what is kept here, and whether that is so when it is sent there. */
export const isWhatIsKeptAt = async (path: string): Promise<boolean> => {
  const apartment = await Apartment.open<{ kept(): unknown; same(x: unknown): boolean }>(socket({ path }))
  return (await apartment.remote.kept()) === held && (await apartment.remote.same(held))
}
/** Comes to one that listens, and keeps what that keeps. */
export const keepFrom = async (path: string): Promise<void> => {
  const apartment = await Apartment.open<{ kept(): unknown }>(socket({ path }))
  held = await apartment.remote.kept()
}

/** Ends when whoever iterates it is done: `ended` hears of it. */
export async function* count(to: number, ended: () => unknown = () => {}): AsyncGenerator<number> {
  try {
    for (let i = 0; i < to; i++) yield i
  } finally {
    await ended()
  }
}
export const collect = async (items: AsyncIterable<unknown>, most = Number.POSITIVE_INFINITY): Promise<unknown[]> => {
  const all: unknown[] = []
  for await (const item of items) if (all.push(item) >= most) break
  return all
}
export const letters = (): ReadableStream<string> =>
  new ReadableStream({
    start(controller) {
      for (const letter of 'abc') controller.enqueue(letter)
      controller.close()
    },
  })
export const write = async (stream: WritableStream<string>): Promise<void> => {
  const writer = stream.getWriter()
  for (const letter of 'xyz') await writer.write(letter)
  await writer.close()
}
const written: string[] = []
export const sink = (): WritableStream<string> => new WritableStream({ write: (x: string) => void written.push(x) })
export const whatWasWritten = (): string => written.join('')
export const whenAborted = (signal: AbortSignal): unknown =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(signal.reason), { once: true }))
/** Calls the one function with the other, which may each live anywhere. */
export const compose = (outer: (inner: () => unknown) => unknown, inner: () => unknown): unknown => outer(inner)
export const multiplier =
  (by: number): object =>
  (x: number) =>
    x * by
export const apply = (fn: (...args: unknown[]) => unknown, ...args: unknown[]): unknown => fn(...args)
export const never = (): Promise<never> => new Promise(() => {})
/** As `apply`, for as long as its own caller wants it. */
export const applyWhileWanted = (fn: (...args: unknown[]) => unknown, ...args: unknown[]): unknown =>
  callWith(fn, { signal: currentCall()!.signal })(...args)
/** A function that tells when it has begun, and when it is given up. */
export const waiter =
  (begun: () => unknown, told: (reason: unknown) => unknown): object =>
  () => {
    const { signal } = currentCall()!
    signal.addEventListener('abort', () => void told(signal.reason), { once: true })
    void begun()
    return new Promise(() => {})
  }

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
