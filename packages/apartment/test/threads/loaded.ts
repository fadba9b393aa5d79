/** A module under load: what floods, is flooded, and looks after its own work meanwhile. */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import {
  Apartment,
  ApartmentThreaded,
  blocking,
  callWith,
  Interleaved,
  type Remote,
  registerCodec,
  serve,
} from '@flatshare/apartment'
import { settleExits } from '@flatshare/core/internal'
import type { Cells } from './cells.js'
import './cells.js'
import { Journal, sendMixed } from './journal.js'

export { Journal }

/** Resolves when this thread has heard of the ends of others that came before. */
export const settled = (): Promise<boolean> => settleExits()

/** The thread sends calls in every way to another one's journals. */
export const mixed = (
  journals: readonly Remote<Journal>[],
  seed: number,
  count: number,
  edges: readonly number[],
): Promise<string[]> => sendMixed(journals, seed, count, edges)

/** Counts calls, and holds its thread. */
@ApartmentThreaded({ interleaved: true })
export class Counter {
  count = 0
  readonly starts: number[] = []
  readonly microtasks: number[] = []

  hit(): number {
    return ++this.count
  }

  /** Whatever comes in order is taken; anything else is told. */
  inOrder(number: number, _payload?: unknown): void {
    if (number !== this.count) throw new Error(`${number} came for ${this.count}`)
    this.count++
  }

  read(): number {
    return this.count
  }

  echo<T>(value: T): T {
    return value
  }

  echoAll(...values: any[]): any[] {
    return values
  }

  /** Sets the first word, and blocks its thread until the second one is set. */
  block(cells: Cells): void {
    cells.store(0, 1)
    cells.wait(1)
  }

  /** Notes when its calls begin, and when the first microtask of each has its turn. */
  async marked(number: number): Promise<void> {
    this.starts.push(number)
    await Promise.resolve()
    this.microtasks.push(this.starts.length)
  }

  /** The most calls that began between the beginning of one and its first microtask. */
  mostBetween(): number {
    return Math.max(...this.microtasks.map((began, i) => began - i - 1))
  }

  async callBack<T>(fn: () => T): Promise<T> {
    return await fn()
  }

  blockOn<T>(fn: () => T): T {
    return blocking(fn)() as T
  }
}

/** Floods another thread. */
@ApartmentThreaded()
export class Flooder {
  #stopped = false

  /** So many calls in flight, until it is stopped, or the other thread has ended. Gives how each call ended. */
  async flood(counter: Remote<Counter>, together: number): Promise<Record<string, number>> {
    const ends: Record<string, number> = {}
    const note = (end: string) => (ends[end] = (ends[end] ?? 0) + 1)
    let gone = false
    while (!this.#stopped && !gone) {
      const calls = Array.from({ length: together }, () => counter.hit())
      for (const end of await Promise.allSettled(calls)) {
        note(end.status === 'fulfilled' ? 'answered' : (end.reason as Error).name)
        if (end.status === 'rejected') gone = true
      }
    }
    return ends
  }

  @Interleaved() stop(): void {
    this.#stopped = true
  }

  /** So many calls at once, of which the first one holds the other thread. */
  async sendAll(counter: Remote<Counter>, count: number, cells?: Cells): Promise<number[]> {
    const held = cells && counter.block(cells)
    const calls = Array.from({ length: count }, () => counter.hit())
    await held
    return Promise.all(calls)
  }
}

/** What a thread has to do for itself. Gives what is done, in order, as far as that is its own. */
export async function ownWork(rounds: number): Promise<string[]> {
  const done: string[] = []
  for (let i = 0; i < rounds; i++) {
    await new Promise((resolve) => setTimeout(resolve, 1))
    await new Promise((resolve) => setImmediate(resolve))
    const text = await readFile(fileURLToPath(import.meta.url), 'utf8')
    if (text.length === 0) throw new Error('Nothing was read.')
    // As Node does it from any callback of its own: ticks, then microtasks, then what waits for the next phase.
    await new Promise<void>((resolve) => {
      setImmediate(() => {
        setImmediate(() => {
          done.push('immediate')
          resolve()
        })
        queueMicrotask(() => {
          done.push('microtask')
          process.nextTick(() => done.push('tick of the microtask'))
          queueMicrotask(() => done.push('microtask of the microtask'))
        })
        process.nextTick(() => done.push('tick'))
      })
    })
  }
  return done
}

export const ownOrder = ['tick', 'microtask', 'microtask of the microtask', 'tick of the microtask', 'immediate']

export const functionsNamed = (names: readonly string[]): Record<string, (round: number) => string> =>
  Object.fromEntries(names.map((name) => [name, (round: number) => `${name} ${round}`]))

/** More than a link numbers. */
export const manyNames = Array.from({ length: 33_000 }, (_, i) => `function ${i}`)
export const many = functionsNamed(manyNames)

/** Serves by a port that it is given. */
export function serveAt(port: MessagePort): void {
  serve({ next: (n: number) => n + 1, callBack: (fn: () => unknown) => fn() }, port)
}

/** Of calls without an answer: how many were taken, as each one awaits the one before. */
@ApartmentThreaded()
export class Sender {
  #taken = 0

  async sendOneWay(counter: Remote<Counter>, count: number, bytes: number): Promise<void> {
    const silent = callWith(counter, { reply: false })
    for (let i = 0; i < count; i++) {
      await silent.inOrder(i, new Uint8Array(bytes))
      this.#taken++
    }
  }

  @Interleaved() async takenAfter(turns: number): Promise<number> {
    for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve))
    return this.#taken
  }
}

/** Calls each of many functions that the main thread serves, twice. Gives those that answered wrongly. */
export async function callAllOfMain(object: string): Promise<string[]> {
  return callAllOf(await (Apartment.main.remote as any)[object])
}

export async function callAllOf(functions: any): Promise<string[]> {
  const wrong: string[] = []
  for (const round of [0, 1]) {
    for (let at = 0; at < manyNames.length; at += 1000) {
      const names = manyNames.slice(at, at + 1000)
      const answers = await Promise.all(names.map((name) => functions[name](round)))
      wrong.push(...names.filter((name, i) => answers[i] !== `${name} ${round}`))
    }
  }
  return wrong
}

/** Calls so many functions of the main thread that aren't there. Gives those that weren't refused by their names. */
export async function refusedByMain(count: number): Promise<string[]> {
  const wrong: string[] = []
  for (let at = 0; at < count; at += 1000) {
    const names = Array.from({ length: 1000 }, (_, i) => `missing ${at + i}`)
    const ends = await Promise.allSettled(names.map((name) => (Apartment.main.remote as any)[name]()))
    wrong.push(...names.filter((name, i) => !String((ends[i] as PromiseRejectedResult).reason).includes(`"${name}"`)))
  }
  return wrong
}

/** Runs code while it is encoded and decoded. */
export class Talkative {
  constructor(readonly value: unknown) {}
}

/** What is done meanwhile, on this thread. */
export const talk: { encoding?: (() => void) | undefined; decoding?: (() => void) | undefined } = {}

registerCodec(Talkative, {
  name: 'Talkative',
  encode: ({ value }) => {
    talk.encoding?.()
    return [value, 'x'.repeat(50)] as const
  },
  decode: ([value]) => {
    talk.decoding?.()
    return new Talkative(value)
  },
})

/** Blocks on this function whenever a value is encoded, or decoded, here. */
export function blockWhile(doing: 'encoding' | 'decoding', fn?: () => unknown): void {
  talk[doing] = fn && (() => blocking(fn)())
}
