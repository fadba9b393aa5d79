/**
 * Threads that die at random moments, in every way, with calls, callbacks, iterables, streams and blocking calls pending
 * in all directions. Every promise settles; the threads that last go on, and nothing is left behind.
 */
import { blocking, callWith, currentCall, type Remote, release } from '@flatshare/apartment'
import { onGone } from '@flatshare/apartment/internal'
import { byReference } from '@flatshare/core'
import { livingThreads } from '@flatshare/core/internal'
import { expect } from 'vitest'
import type { Opener } from './contract/opener.js'
import type { Death, Lasting, Mortal, Witness } from './threads/mortal.js'

type Mortals = typeof import('./threads/mortal.js')

const url = new URL('./threads/mortal.js', import.meta.url)

/** How a call with a dying thread may end beside its result. */
const expected = new Set(['DisconnectedError', 'TimeoutError', 'AbortError', 'MortalError', 'DeadlockError'])

/** What hasn't happened when this time is over hangs: milliseconds. */
const PATIENCE = 10_000

/** A repeatable source of choices. */
function choices(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
    return (state >> 8) % below
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

let read = 0

/** Until nobody reads it any more. */
async function* endless(): AsyncGenerator<number> {
  read++
  try {
    for (let i = 0; ; i++) {
      if (i % 16 === 0) await turn()
      yield i
    }
  } finally {
    read--
  }
}

async function readAll(values: AsyncIterable<number>): Promise<number> {
  let count = 0
  for await (const _ of values) count++
  return count
}

/** What of this thread a mortal one uses; one for each use, since it serves one call at a time. */
function lasting(): Lasting {
  return byReference({
    wait: () =>
      new Promise<string>((resolve) => {
        const { signal } = currentCall()!
        if (signal.aborted) resolve('given up')
        else signal.addEventListener('abort', () => resolve('given up'))
      }),
    callBack: async (callback: () => unknown) => callback(),
    now: () => Date.now(),
  })
}

type Use = (mortal: Remote<Mortal>, witness: Remote<Witness>, own: Lasting, next: (below: number) => number) => unknown

const uses: Record<string, Use> = {
  call: (mortal) => mortal.echo({ deep: ['x'] }),
  'slow call': (mortal, _witness, _own, next) => mortal.slow(next(5)),
  'call with a deadline': (mortal, _witness, _own, next) => callWith(mortal, { timeout: next(10) }).slow(5),
  callback: (mortal) => mortal.callBack(() => mortal.echo(1)),
  'callback that goes on': (mortal) => mortal.callBack(() => turn().then(turn)),
  'call from there': (mortal, _witness, own) => mortal.waitFor(own as never),
  'its iterable': (mortal) => readAll(mortal.count(10_000)),
  'our iterable': (mortal) => mortal.sum(endless()),
  'its stream': async (mortal) => readAll((await mortal.readable()) as never),
  'it blocks on us': (mortal, _witness, own) => mortal.blockOn(own as never, 'wait'),
  'it blocks on us, who call back': (mortal, _witness, own) => mortal.blockOn(own as never, 'callBack'),
  'another thread blocks on it': (mortal, witness, _own, next) => witness.blockOn(mortal, next(5)),
  'another thread calls it': (mortal, witness) => witness.use(mortal),
  // eslint-disable-next-line @typescript-eslint/await-thenable -- so that the other thread reads it at its home
  'another thread reads its iterable': async (mortal, witness) => witness.read(await mortal.count(10_000)),
  'handed on and let go': async (mortal, witness) => {
    const back = (await mortal.echo(witness)) as Remote<Witness>
    expect(back).toBe(witness)
  },
}
const useNames = Object.keys(uses)

const deaths: Death[] = ['exit', 'throw', 'rejection', 'in a call', 'in a microtask']

/** One thread, from its start to its end. Gives how long the slowest promise took to settle after that. */
async function one(
  open: Opener,
  next: (below: number) => number,
  witness: Remote<Witness>,
  memory: boolean,
): Promise<number> {
  const apartment = await open<Mortals>(url, {
    name: 'mortal',
    ...(memory && { resourceLimits: { maxOldGenerationSizeMb: 16 } }),
  })
  const mortal = await apartment.create('Mortal')
  const unsettled = new Map<number, string>()
  let ended: number | undefined
  let slowest = 0
  let count = 0
  const settled: Array<Promise<void>> = []
  const note = (what: string, act: () => unknown) => {
    const id = count++
    unsettled.set(id, what)
    const judge = (error?: unknown) => {
      unsettled.delete(id)
      if (ended !== undefined) slowest = Math.max(slowest, performance.now() - ended)
      const name = error === undefined ? '' : String((error as Error).name)
      if (error !== undefined && !expected.has(name)) throw error as Error
    }
    let outcome: Promise<unknown>
    try {
      outcome = Promise.resolve(act())
    } catch (error) {
      outcome = Promise.reject(error as Error)
    }
    const end = outcome.then(() => judge(), judge)
    end.catch(() => {}) // looked at below
    settled.push(end)
  }

  const how = next(3)
  const death = memory ? 'memory' : deaths[next(deaths.length)]!
  const moment = next(20)
  for (let i = 0; i < 20; i++) {
    if (i === moment) {
      if (how === 0 && !memory) note('terminate', () => apartment.terminate())
      else note(death, () => mortal.dieAfter(next(4), death))
      // This thread blocks on the dying one now and then.
      if (how === 1) note('this thread blocks on it', () => blocking(mortal).slow(3))
    }
    const name = useNames[next(useNames.length)]!
    note(name, () => uses[name]!(mortal, witness, lasting(), next))
    if (next(3) === 0) await turn()
  }
  const gone = new Promise<void>((resolve) => void onGone(mortal, resolve))
  if (next(2) === 0) release(mortal)
  const by = how === 0 && !memory ? 'terminate' : death
  await within(gone, () => `The thread has not ended by "${by}": ${[...unsettled.values()]}`)
  ended = performance.now()
  await within(Promise.all(settled), () => `After the end by "${by}" some never settle: ${[...unsettled.values()]}`)
  await apartment.terminate()
  return slowest
}

/** Rejects where it takes too long, and says what. */
async function within(promise: Promise<unknown>, what: () => string): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const tooLong = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(what())), PATIENCE)
  })
  try {
    await Promise.race([promise, tooLong])
  } finally {
    clearTimeout(timer)
  }
}

/** Kills so many threads, two at a time. Gives the longest that a promise took to settle, in milliseconds. */
export async function kill(open: Opener, seed: number, kills: number, memoryEach: number): Promise<number> {
  const other = await open<Mortals>(url, { name: 'witness' })
  const witness = await other.create('Witness')
  let begun = 0
  let slowest = 0
  const worker = async () => {
    while (begun < kills) {
      const number = begun++
      const ms = await one(open, choices(seed * 7919 + number), witness, number % memoryEach === memoryEach - 1)
      slowest = Math.max(slowest, ms)
    }
  }
  await Promise.all([worker(), worker()])
  // The one that lasts is as it was.
  expect(await witness.use(byReference({ callBack: (callback: () => unknown) => callback() }) as never)).toBe(
    'from the witness',
  )
  await other.close()
  return slowest
}

/** What of this thread could be left behind by those that ended: links, iterations, and the others' places. */
function left(): string {
  const ports = process.getActiveResourcesInfo().filter((kind) => kind === 'MessagePort').length
  return `${livingThreads().length} threads, ${ports} ports, ${read} iterations`
}

/** Waits until nothing is left: the news of a thread's end may come a turn after that of its calls. */
export async function nothingLeft(): Promise<void> {
  const leaves = async () => {
    while (left() !== '1 threads, 0 ports, 0 iterations') await turn()
  }
  await within(leaves(), () => `Left behind: ${left()}`)
}
