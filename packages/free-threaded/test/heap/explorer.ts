/**
 * Walks through the interleavings of threads that use the heap's real code over a model of shared memory, with deaths
 * as choices.
 *
 * A modelled thread is run again from the start for each step: the facade answers from the thread's log, and throws at
 * the first operation that the log doesn't have, which the scheduler then carries out. States (memory, logs, who is
 * dead) are compared by a hash, so that orders which make no difference are walked once. `preemptions` bounds how often
 * a thread that could go on is interrupted.
 *
 * What must hold
 * - no two living threads own one block at once (`own`), and none that a live object needs is free (`check`);
 * - a free block is on one list, once;
 * - nobody waits for ever, nothing is thrown that the scenario doesn't expect.
 */
import type { HeapMemory } from '../../dist/heap/heap-memory.js'

export const PAGE_BYTES = 256
const CONTROL = 0x10000
const BITS = CONTROL + 64
const BITS_END = BITS + 2048
/** Free blocks, those in use, the never-used part; see `pages.ts`. */
const OWNERS_WORDS = new Set([12, 20, 24])
export const HEAP_START = 0x40000

type Op = readonly [name: string, ...operands: number[]]

/** What a scenario's thread may say. */
export interface Context {
  /** From now on the block is this thread's alone. */
  own(address: number, bytes: number): void
  disown(address: number): void
  /** Waits until a word that no code under test uses isn't 0; gives it. */
  until(address: number): number
  put(address: number, value: number): void
  fail(why: string): never
}

export interface HeapThread {
  readonly run: (memory: HeapMemory, context: Context) => void
  readonly mortal?: boolean
}

export interface HeapScenario {
  readonly threads: readonly HeapThread[]
  readonly deaths?: number
  readonly preemptions?: number
  /** What is wrong in the end, if anything. */
  readonly finally?: (read: (address: number) => number) => string | undefined
}

/** A log of results; equal ones are one node, with the operation that comes next. */
class Log {
  readonly #next = new Map<number, Log>()
  op: Op | undefined
  readonly length: number
  static #count = 0
  readonly id = Log.#count++

  constructor(
    readonly before?: Log,
    readonly value = 0,
  ) {
    this.length = before ? before.length + 1 : 0
  }

  after(value: number): Log {
    let log = this.#next.get(value)
    if (!log) this.#next.set(value, (log = new Log(this, value)))
    return log
  }

  values(): number[] {
    const values = new Array<number>(this.length)
    for (let at: Log = this; at.before; at = at.before) values[at.length - 1] = at.value
    return values
  }
}

interface ThreadState {
  readonly log: Log
  readonly dead: boolean
  readonly owns: ReadonlyMap<number, number>
  /** How many had died when it napped last. */
  readonly napDeaths: number
}

interface State {
  readonly words: ReadonlyMap<number, number>
  readonly top: number
  readonly threads: readonly ThreadState[]
  readonly running: number
  readonly budget: number
  readonly deathsLeft: number
  readonly trace: Trace | undefined
}

interface Trace {
  readonly step: string
  readonly before: Trace | undefined
}

export interface Findings {
  readonly states: number
  readonly violation?: string
  readonly trace?: readonly string[]
}

const PAUSE = new Error('The log ends here.')
const DONE: Op = ['done']
const MOST_STATES = 100_000
const ENDLESS = 4000

class Violation extends Error {
  constructor(
    message: string,
    readonly at: State,
  ) {
    super(message)
  }
}

export function explore(scenario: HeapScenario): Findings {
  const seen = new Set<string>()
  const stack: State[] = [
    {
      words: new Map(),
      top: HEAP_START,
      threads: scenario.threads.map(() => ({ log: new Log(), dead: false, owns: new Map(), napDeaths: 0 })),
      running: -1,
      budget: scenario.preemptions ?? Infinity,
      deathsLeft: scenario.deaths ?? 0,
      trace: undefined,
    },
  ]
  try {
    for (let state = stack.pop(); state; state = stack.pop()) {
      const key = digest(state)
      if (seen.has(key)) continue
      seen.add(key)
      if (seen.size > MOST_STATES) throw new Violation('There are too many states.', state)
      stack.push(...successors(state))
    }
  } catch (error) {
    if (!(error instanceof Violation)) throw error
    const trace: string[] = []
    for (let at = error.at.trace; at; at = at.before) trace.unshift(at.step)
    return { states: seen.size, violation: error.message, trace }
  }
  return { states: seen.size }

  function successors(state: State): State[] {
    const next: State[] = []
    let ended = 0
    for (const [actor, thread] of state.threads.entries()) {
      if (thread.dead) {
        ended++
        continue
      }
      const op = nextOp(state, actor)
      if (op === DONE) {
        ended++
        continue
      }
      // Who waits for a change waits until there is one.
      if (isBlocked(state, actor, op)) continue
      const interrupts = state.running !== -1 && state.running !== actor && canGoOn(state, state.running)
      if (interrupts && state.budget === 0) continue
      const budget = interrupts ? state.budget - 1 : state.budget
      const begun = { ...state, budget, running: actor }
      if (scenario.threads[actor]!.mortal && state.deathsLeft > 0) {
        const threads = [...state.threads]
        threads[actor] = { ...thread, dead: true, owns: new Map() }
        const trace = { step: `${actor + 1} dies before ${op.join(' ')}`, before: state.trace }
        next.push({ ...begun, running: -1, threads, deathsLeft: state.deathsLeft - 1, trace })
      }
      next.push(goOn(begun, actor))
    }
    if (next.length === 0) {
      if (ended < state.threads.length) throw new Violation('Somebody waits for ever.', state)
      check(state)
    }
    return next
  }

  function canGoOn(state: State, actor: number): boolean {
    if (state.threads[actor]!.dead) return false
    const op = nextOp(state, actor)
    return op !== DONE && !isBlocked(state, actor, op)
  }

  /** A nap ends when its word changes, and to look who has died. */
  function isBlocked(state: State, actor: number, [name, address = 0, expected = 0]: Op): boolean {
    if (name === 'until') return read(state, address) === 0
    if (name !== 'nap' || read(state, address) !== expected) return false
    return state.threads[actor]!.napDeaths === deathsIn(state)
  }

  /** Carries out one step, and the plain accesses after it. */
  function goOn(state: State, actor: number): State {
    let at = carryOut(state, actor, nextOp(state, actor))
    for (;;) {
      const op = nextOp(at, actor)
      if (op[0] !== 'get' && op[0] !== 'set' && op[0] !== 'own' && op[0] !== 'disown') return at
      if (op[0] === 'set' && scenario.threads[actor]!.mortal && at.deathsLeft > 0) return at
      at = carryOut(at, actor, op)
    }
  }

  function nextOp(state: State, actor: number): Op {
    const { log } = state.threads[actor]!
    if (log.length > ENDLESS) throw new Violation(`${actor + 1} goes on for ever.`, state)
    return (log.op ??= replay(state, actor, log.values()))
  }

  function replay(state: State, actor: number, log: readonly number[]): Op {
    let at = 0
    let pending: Op = DONE
    const op = (...wanted: Op): number => {
      if (pending !== DONE) throw PAUSE
      if (at < log.length) return log[at++]!
      pending = wanted
      throw PAUSE
    }
    const me = actor + 1
    const memory: HeapMemory = {
      spins: 0,
      // The bits of pages are set for good, before anybody hears of the page.
      load: (address) => (address >= BITS && address < BITS_END ? op('get', address) : op('load', address)),
      store: (address, value) => void op('store', address, value),
      publish: (address, value) => void op('store', address, value),
      add: (address, delta) => op('add', address, delta),
      exchange: (address, value) => op('exchange', address, value),
      compareExchange: (address, expected, value) => op('compareExchange', address, expected, value),
      get: (address) => op('get', address),
      set: (address, value) => void op('set', address, value),
      clear: (address, bytes) => void op('clear', address, bytes),
      notify() {},
      reach() {},
      control: () => CONTROL,
      allocate: (bytes) => op('grow', bytes),
      free() {},
      nap: (address, expected) => void op('nap', address, expected),
      ownThreadId: () => me,
      isAlive: (id) => id === me || op('isAlive', id) === 1,
      deaths: () => op('deaths'),
      pageBytes: PAGE_BYTES,
      segmentPages: 2,
      chunkBytes: 32,
    }
    try {
      scenario.threads[actor]!.run(memory, {
        own: (address, bytes) => void op('own', address, bytes),
        disown: (address) => void op('disown', address),
        until: (address) => op('until', address),
        put: (address, value) => void op('store', address, value),
        fail(why) {
          throw new Violation(why, state)
        },
      })
    } catch (error) {
      if (error instanceof Violation) throw error
      if (error !== PAUSE) throw new Violation(`${me} throws ${String((error as Error).stack)}`, state)
    }
    return pending
  }

  function carryOut(state: State, actor: number, op: Op): State {
    const [name, a = 0, b = 0, c = 0] = op
    const thread = state.threads[actor]!
    const old = read(state, a)
    let { words, top } = state
    let owns = thread.owns
    let value = 0
    const write = (address: number, word: number) => {
      const changed = new Map(words)
      if (word === 0) changed.delete(address)
      else changed.set(address, word | 0)
      words = changed
    }
    switch (name) {
      case 'load':
      case 'get':
      case 'until':
        value = old
        break
      case 'set':
        checkOwner(state, actor, a)
        write(a, b)
        break
      case 'store':
        write(a, b)
        break
      case 'add':
        value = old
        write(a, old + b)
        break
      case 'exchange':
        value = old
        write(a, b)
        break
      case 'compareExchange':
        value = old
        if (old === b) write(a, c)
        break
      case 'clear':
        for (let at = a; at < a + b; at += 4) if (words.has(at)) write(at, 0)
        break
      case 'grow':
        value = top = Math.ceil(top / PAGE_BYTES) * PAGE_BYTES
        top += a
        break
      case 'nap':
        break
      case 'isAlive':
        value = state.threads[a - 1]?.dead === false ? 1 : 0
        break
      case 'deaths':
        value = deathsIn(state)
        break
      case 'own':
        for (const [i, other] of state.threads.entries()) {
          for (const [start, bytes] of other.owns) {
            if (start < a + b && a < start + bytes) throw new Violation(`${actor + 1} gets what ${i + 1} has.`, state)
          }
        }
        owns = new Map(owns).set(a, b)
        break
      case 'disown': {
        const fewer = new Map(owns)
        fewer.delete(a)
        owns = fewer
        break
      }
      default:
        throw new Error(`What is ${name}?`)
    }
    const threads = [...state.threads]
    const napDeaths = name === 'nap' ? deathsIn(state) : thread.napDeaths
    threads[actor] = { ...thread, owns, napDeaths, log: thread.log.after(value) }
    return {
      ...state,
      words,
      top,
      threads,
      trace: { step: `${actor + 1}: ${op.join(' ')} → ${value}`, before: state.trace },
    }
  }

  /** What only its owner may change in a page, and who collects. */
  function checkOwner(state: State, actor: number, address: number): void {
    const page = address & -PAGE_BYTES
    if (address < HEAP_START || !OWNERS_WORDS.has(address - page) || !isUsedPage(state, page)) return
    const me = actor + 1
    if (read(state, page) === me || read(state, CONTROL) === me) return
    throw new Violation(`${me} changes a page of ${read(state, page)}.`, state)
  }

  function isUsedPage(state: State, page: number): boolean {
    const bit = page / PAGE_BYTES
    return ((read(state, BITS + (bit >> 5) * 4) >>> (bit & 31)) & 1) === 1 && read(state, page + 4) !== 0
  }

  function check(state: State): void {
    const free = new Set<number>()
    for (let page = HEAP_START; page < state.top; page += PAGE_BYTES) {
      if (!isUsedPage(state, page)) continue
      for (const head of [read(state, page + 12), read(state, page + 16)]) {
        for (let block = head; block !== 0; block = read(state, block)) {
          if (free.has(block)) throw new Violation(`${block} is free twice.`, state)
          free.add(block)
        }
      }
    }
    for (const { owns } of state.threads) {
      for (const block of owns.keys()) if (free.has(block)) throw new Violation(`${block} is free, and in use.`, state)
    }
    const wrong = scenario.finally?.((address) => read(state, address))
    if (wrong) throw new Violation(wrong, state)
  }
}

function deathsIn({ threads }: State): number {
  return threads.filter(({ dead }) => dead).length
}

function read(state: State, address: number): number {
  return state.words.get(address) ?? 0
}

/** States are told apart by 106 bits of hash. */
function digest({ words, top, threads, running, budget, deathsLeft }: State): string {
  let a = 0x811c9dc5
  let b = 0x9e3779b9
  const mix = (value: number) => {
    a = Math.imul(a ^ value, 0x01000193) ^ (a >>> 15)
    b = (Math.imul(b ^ value, 0x5bd1e995) + (b >>> 13)) | 0
  }
  let sum = 0
  let sum2 = 0
  // The order in which words were written first makes no difference.
  for (const [address, value] of words) {
    const word = Math.imul(address ^ 0x2545f491, 0x9e3779b1) ^ Math.imul(value ^ (value >>> 16), 0x85ebca6b)
    sum = (sum + Math.imul(word ^ (word >>> 15), 0xc2b2ae35)) | 0
    sum2 = (sum2 + Math.imul(word ^ (word >>> 13), 0x27d4eb2f)) | 0
  }
  for (const value of [sum, sum2, top, running, budget === Infinity ? -1 : budget, deathsLeft]) mix(value)
  for (const { log, dead, owns } of threads) {
    mix(dead ? 1 : 2)
    mix(log.id)
    for (const [address, bytes] of owns) mix(address ^ bytes)
  }
  return `${a}/${b}/${sum}/${sum2}`
}
