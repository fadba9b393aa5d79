/**
 * Walks through all interleavings of threads that block for messages of each other, over a model of shared memory.
 *
 * A modelled thread runs the real code over a facade. To step it, its code is run again from the start: the
 * facade answers from the thread's log and throws at the first operation that the log doesn't have. The
 * scheduler carries that operation out and appends its result to the log. Equal states are walked once.
 *
 * What must hold: where nobody can take a step, each living thread has come to the end of its code (no wake-up was
 * lost); and what the scenario says in the end.
 */
import type { BlockedCallsMemory } from '../../dist/blocked-calls.js'
import type { InboxMemory } from '../../dist/inbox.js'

export type Message = readonly (string | number)[]

/** What the code of a thread does. */
export interface Thread {
  readonly id: number
  readonly memory: InboxMemory & BlockedCallsMemory
  /** Sends a message; counting it is the code's. */
  post(to: number, message: Message): void
  /** Takes the next message, if there is one. */
  next(): Message | undefined
  isAlive(id: number): boolean
  /** Says what became of it, for the scenario's end. */
  tell(what: string): void
  /** Ends the thread, as the supervisor sees and tells it. */
  die(): never
}

export type Code = (thread: Thread) => void

export interface Scenario {
  readonly threads: readonly Code[]
  /** How often a thread may be interrupted that could go on; without it, always. */
  readonly preemptions?: number
  /** What is wrong with what the threads have told, undefined where nothing is. */
  readonly finally: (told: readonly string[]) => string | undefined
}

export interface Findings {
  readonly states: number
  /** All that was told in the end, in any order of steps. */
  readonly ends: ReadonlySet<string>
  readonly violation?: string
  readonly trace?: readonly string[]
}

type Op = readonly [name: string, ...operands: unknown[]]

/** A log of results, as a tree: equal logs are one node, so that each is run once. */
class LogNode {
  static #count = 0
  readonly id = LogNode.#count++
  readonly op: Op | undefined
  readonly #next = new Map<string, LogNode>()

  constructor(
    readonly run: (log: readonly unknown[]) => Op | undefined,
    readonly log: readonly unknown[] = [],
  ) {
    this.op = run(log)
  }

  after(value: unknown): LogNode {
    const key = JSON.stringify(value) ?? ''
    let node = this.#next.get(key)
    if (!node) this.#next.set(key, (node = new LogNode(this.run, [...this.log, value])))
    return node
  }
}

interface Actor {
  /** Where it stands in its code; undefined before a supervisor begins. */
  readonly node: LogNode | undefined
  readonly asleepAt: number
  readonly messages: readonly Message[]
  readonly told: string
}

interface State {
  readonly words: readonly number[]
  readonly actors: readonly Actor[]
  readonly running: number
  readonly budget: number
  readonly trace: { readonly step: string; readonly before: State['trace'] } | undefined
}

const PAUSE = new Error('The log ends here.')
const END = new Error('The thread ends.')

/** For each thread: the count of its posts, where it is parked, how often, whether it has died, its call. */
const EACH = 32
const at = (id: number, word: number): number => id * EACH + word * 4
const POSTS = 0
const PARKED = 1
const TIMES = 2
const DEAD = 3
const CALLEE = 4
const SEEN = 5

/** The operation at which a thread's log ends; undefined where its code does. */
function replay(id: number, code: Code, log: readonly unknown[]): Op | undefined {
  let used = 0
  let pending: Op | undefined
  const op = (...wanted: Op): never => {
    // Also from `finally` blocks on the way out.
    if (pending) throw PAUSE
    if (used < log.length) return log[used++] as never
    pending = wanted
    throw PAUSE
  }
  const load = (address: number): number => op('load', address)
  const store = (address: number, value: number): void => op('store', address, value)
  const add = (address: number, delta: number): void => op('add', address, delta)
  const posted = (to: number): void => {
    add(at(to, POSTS), 1)
    if (load(at(to, PARKED)) === at(to, POSTS)) op('notify', at(to, POSTS))
  }
  const thread: Thread = {
    id,
    memory: {
      load,
      store,
      add,
      notify: (address) => op('notify', address),
      park(address, expected, _timeout, worthwhile) {
        add(at(id, TIMES), 1)
        store(at(id, PARKED), address)
        try {
          if (worthwhile()) op('wait', address, expected)
        } finally {
          store(at(id, PARKED), 0)
        }
      },
      ownThreadId: () => id,
      postsOf: (of) => at(of, POSTS),
      parkedAt: (of) => load(at(of, PARKED)),
      timesParked: (of) => load(at(of, TIMES)),
      now: () => 0,
      calleeWord: (of) => at(of, CALLEE),
      seenWord: (of) => at(of, SEEN),
      posted,
      lookAgain() {},
      waitNote: (of) => `the call of ${of}`,
    },
    post: (to, message) => op('post', to, message),
    next: () => op('next'),
    isAlive: (of) => load(at(of, DEAD)) === 0,
    tell: (what) => op('tell', what),
    die() {
      op('die')
      throw END
    },
  }
  try {
    code(thread)
  } catch (error) {
    if (error !== PAUSE && error !== END) throw error
  }
  if (!pending && used < log.length) throw new Error('The code under test is not deterministic.')
  return pending
}

/** What the supervisor does once a thread has died. */
const supervise =
  (dead: number, count: number): Code =>
  ({ memory }) => {
    memory.store(at(dead, DEAD), 1)
    for (let id = 1; id <= count; id++) {
      memory.add(at(id, POSTS), 1)
      if (memory.parkedAt(id) === at(id, POSTS)) memory.notify(at(id, POSTS))
    }
  }

export function explore(scenario: Scenario, maxStates = 500_000): Findings {
  const count = scenario.threads.length
  const first = scenario.threads.map((code, i) => new LogNode((log) => replay(i + 1, code, log)))
  const supervisors = first.map((_, i) => new LogNode((log) => replay(0, supervise(i + 1, count), log)))
  const seen = new Map<string, number>()
  const ends = new Set<string>()
  const actors = [...first, ...supervisors].map(
    (node, i): Actor => ({ node: i < count ? node : undefined, asleepAt: 0, messages: [], told: '' }),
  )
  const stack: State[] = [
    {
      words: new Array<number>((EACH / 4) * (count + 1)).fill(0),
      actors,
      running: -1,
      budget: scenario.preemptions ?? Infinity,
      trace: undefined,
    },
  ]
  while (stack.length > 0) {
    const state = stack.pop()!
    const key = keyOf(state)
    if ((seen.get(key) ?? -1) >= state.budget) continue
    seen.set(key, state.budget)
    if (seen.size > maxStates) throw new Error('Too many states: bound the scenario.')
    const runnable = [...state.actors.keys()].filter((i) => canStep(state.actors[i]!))
    if (runnable.length === 0) {
      const asleep = state.actors.findIndex((actor) => actor.asleepAt !== 0)
      const told = state.actors.slice(0, count).map((actor) => actor.told)
      const violation = asleep >= 0 ? `${asleep + 1} sleeps for ever` : scenario.finally(told)
      if (violation) return { states: seen.size, ends, violation, trace: traceOf(state) }
      ends.add(told.join('; '))
    }
    for (const i of runnable) {
      const preempts = i !== state.running && runnable.includes(state.running)
      if (preempts && state.budget === 0) continue
      stack.push({ ...step(state, i), running: i, budget: state.budget - (preempts ? 1 : 0) })
    }
  }
  return { states: seen.size, ends }

  function keyOf({ words, actors, running }: State): string {
    const own = actors.map((a) => [a.node?.id, a.asleepAt, a.messages, a.told])
    return JSON.stringify([words, own, scenario.preemptions === undefined ? 0 : running])
  }

  function step(state: State, i: number): State {
    const actor = state.actors[i]!
    const op = actor.node!.op!
    const words = [...state.words]
    const next = [...state.actors]
    const [name, a, b] = op as [string, number, number]
    let result: unknown
    let asleepAt = 0
    let { messages, told } = actor
    if (name === 'load') result = words[a >> 2]
    else if (name === 'store') words[a >> 2] = b
    else if (name === 'add') words[a >> 2] = (words[a >> 2] ?? 0) + b
    else if (name === 'wait') asleepAt = words[a >> 2] === b ? a : 0
    else if (name === 'tell') told += told === '' ? String(a) : `, ${String(a)}`
    else if (name === 'next') {
      result = messages[0]
      messages = messages.slice(1)
    } else if (name === 'die') next[count + i] = { ...next[count + i]!, node: supervisors[i] }
    // Who goes to sleep has its next operation, and takes it when it is woken.
    next[i] = { node: actor.node!.after(result), asleepAt, messages, told }
    if (name === 'post') {
      const to = next[a - 1]!
      next[a - 1] = { ...to, messages: [...to.messages, b as unknown as Message] }
    }
    if (name === 'notify') {
      for (const [j, other] of next.entries()) if (other.asleepAt === a) next[j] = { ...other, asleepAt: 0 }
    }
    const trace = { step: `${i + 1}: ${op.join(' ')} → ${String(result)}`, before: state.trace }
    return { ...state, words, actors: next, trace }
  }
}

const canStep = ({ node, asleepAt }: Actor): boolean => node?.op !== undefined && asleepAt === 0

function traceOf(state: State): string[] {
  const trace: string[] = []
  for (let at = state.trace; at; at = at.before) trace.unshift(at.step)
  return trace
}
