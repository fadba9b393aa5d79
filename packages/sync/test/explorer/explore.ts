/**
 * Walks through all interleavings of a scenario's threads, with deaths and timeouts as choices, and says
 * what it found wrong, with the steps that led there.
 *
 * States are compared whole (memory, every thread's log, queues), so that orders which make no difference
 * are walked once. `preemptions` bounds how often a thread is interrupted that could go on.
 *
 * What must hold
 * - one thread at a time is inside of a lock; it got it as `'abandoned'` if, and only if, a thread died
 *   holding it;
 * - where nobody can take a step, timeouts apart, nobody waits for anything: no wake-up was lost;
 * - in the end locks are free, unflagged, and nothing of those who gave up is left asleep or counted;
 * - `DeadlockError` comes to members of a cycle only;
 * - nobody touches a block that was given back.
 */
import type { SyncMemory } from '../../dist/sync-memory.js'
import {
  GONE,
  Layout,
  type LogNode,
  type MakeEngine,
  type Op,
  startSupervisor,
  startThread,
  type ThreadSpec,
  type Value,
} from './model.js'

export interface Scenario {
  readonly threads: readonly ThreadSpec[]
  /** How many threads may die. */
  readonly deaths?: number
  /** How often a thread may be interrupted; without it, always. */
  readonly preemptions?: number
  /** What must hold of the sums of the living threads' counters at all times: says what is wrong. */
  readonly invariant?: (counters: Readonly<Record<string, number>>) => string | undefined
  /** What must hold of them, and of the memory, where nobody can take a step. */
  readonly finally?: (
    counters: Readonly<Record<string, number>>,
    load: (address: number) => number,
  ) => string | undefined
  /** Whether threads may wait for ever: `finally` judges whether they should. */
  readonly mayWait?: boolean
}

export interface Findings {
  readonly states: number
  readonly violation?: string
  readonly trace?: readonly string[]
  /** What threads ended with, for scenarios that want each to be reachable. */
  readonly deadlocks: number
  readonly abandoned: number
}

interface ThreadState {
  readonly node: LogNode
  readonly life: 'alive' | 'dead'
  /** 0 not asleep, 1 asleep, 2 woken. */
  readonly sleep: 0 | 1 | 2
  readonly parked: number
  readonly parks: number
  readonly late: boolean
  readonly timeRead: boolean
  /** Async waiters not served. */
  readonly waiting: number
  /** How often it holds its event loop open. */
  readonly holds: number
  readonly counters: Readonly<Record<string, number>>
  readonly events: readonly number[]
  readonly maybes: readonly number[]
  /** In a cycle of parked threads at some moment since it last parked. */
  readonly cyclic: boolean
}

interface Sleeper {
  readonly thread: number
  readonly address: number
  /** 0: it blocks. */
  readonly callback: number
}

interface State {
  readonly words: readonly number[]
  readonly threads: readonly ThreadState[]
  readonly supervisors: readonly LogNode[]
  readonly sleepers: readonly Sleeper[]
  /** By address: the thread in its critical section, 0 if none. */
  readonly inside: Readonly<Record<number, number>>
  /** Addresses of locks whose holder died inside: the next one must be told. */
  readonly orphaned: readonly number[]
  /** Those whose holder died on its way in or out: the next one may be told. */
  readonly doubtful: readonly number[]
  readonly known: readonly number[]
  readonly deaths: number
  readonly running: number
  readonly budget: number
  readonly trace: Trace | undefined
  readonly abandoned: number
}

interface Trace {
  readonly step: string
  readonly before: Trace | undefined
}

const OWNER = 0x3fffffff
const NODE_ADDRESS = 8
/** Where scenarios put their locks. */
export const FIRST_LOCK = 16
export const SECOND_LOCK = 48

/** More steps than any thread of a scenario needs. */
const ENDLESS = 3000

class Violation extends Error {}
class TooLarge extends Error {}

/** A mutation of the memory that the lock sees. */
export type Mutation = (memory: SyncMemory) => SyncMemory

export function explore(
  scenario: Scenario,
  makeEngine: MakeEngine,
  options: { mutate?: Mutation; maxStates?: number } = {},
): Findings {
  const mutate = options.mutate ?? ((memory) => memory)
  const count = scenario.threads.length
  const seen = new Map<string, number>()
  const WORDS = Layout.bytes(count) >> 2
  const supervisorOf = new Map<number, LogNode>()
  let deadlocks = 0
  let abandoned = 0
  const first: State = {
    words: new Array<number>(WORDS).fill(0),
    threads: scenario.threads.map((spec, i) => ({
      node: startThread(i + 1, spec, makeEngine, mutate),
      life: 'alive',
      sleep: 0,
      parked: 0,
      parks: 0,
      late: false,
      timeRead: false,
      waiting: 0,
      holds: 0,
      counters: {},
      events: [],
      maybes: [],
      cyclic: false,
    })),
    supervisors: [],
    sleepers: [],
    inside: {},
    orphaned: [],
    doubtful: [],
    known: [],
    deaths: scenario.deaths ?? 0,
    running: -1,
    budget: scenario.preemptions ?? Infinity,
    trace: undefined,
    abandoned: 0,
  }
  const stack: State[] = [first]
  try {
    while (stack.length > 0) {
      const state = stack.pop()!
      const key = keyOf(state)
      const before = seen.get(key)
      if (before !== undefined && before >= state.budget) continue
      seen.set(key, state.budget)
      if (seen.size > (options.maxStates ?? 2_000_000)) throw new TooLarge('Too many states: bound the scenario.')
      let stuck = true
      const actors = [...state.threads.keys(), ...state.supervisors.map((_, i) => count + i)]
      // A plain access is no step of its own: see `model.ts`.
      const alone = actors.find((actor) => state.threads[actor]?.life === 'alive' && isPlain(state.threads[actor]))
      const runnable = alone === undefined ? actors.filter((actor) => canStep(state, actor)) : [alone]
      for (const actor of runnable) {
        stuck = false
        const preempts = actor !== state.running && runnable.includes(state.running)
        if (preempts && state.budget === 0) continue
        const budget = state.budget - (preempts ? 1 : 0)
        for (const next of steps(state, actor)) stack.push({ ...next, running: actor, budget })
      }
      if (stuck) checkEnd(state)
      for (const actor of state.threads.keys()) for (const next of choices(state, actor)) stack.push(next)
    }
  } catch (error) {
    if (error instanceof TooLarge) throw error
    // Thrown by the code under test, on a thread's behalf.
    if (!(error instanceof Violation)) return { states: seen.size, violation: String(error), deadlocks, abandoned }
    const trace: string[] = []
    for (let at = (error.cause as State).trace; at; at = at.before) trace.push(at.step)
    return { states: seen.size, violation: error.message, trace: trace.reverse(), deadlocks, abandoned }
  }
  return { states: seen.size, deadlocks, abandoned }

  function isPlain(thread: ThreadState): boolean {
    const name = thread.node.op?.[0]
    return name !== undefined && (scenario.deaths ? PLAIN : PLAIN_WITHOUT_DEATHS).has(name)
  }

  function keyOf(state: State): string {
    const threads = state.threads.map(
      (t) =>
        `${t.node.id}${t.life[0]}${t.sleep}${t.parked}.${t.parks}${t.late}${t.waiting}.${t.holds}e${t.events}m${t.maybes}${t.cyclic}${JSON.stringify(t.counters)}`,
    )
    const sleepers = state.sleepers.map((s) => `${s.thread}@${s.address}#${s.callback}`)
    const inside = JSON.stringify(state.inside)
    const running = scenario.preemptions === undefined ? '' : state.running
    return digest(
      `${state.words}|${threads}|${state.supervisors.map((s) => s.id)}|${sleepers}|${inside}|${state.orphaned}/${state.doubtful}|${state.deaths}|${running}`,
    )
  }

  function canStep(state: State, actor: number): boolean {
    if (actor >= count) return state.supervisors[actor - count]!.op !== undefined
    const thread = state.threads[actor]!
    if (thread.life === 'dead' || thread.sleep === 1 || !thread.node.op) return false
    const [name, a, b] = thread.node.op
    if (name === 'nap') {
      const guard = word(state, a!)
      return guard !== b || (guard !== 0 && isMarked(state, guard))
    }
    return name !== 'event' || thread.events.length > 0
  }

  /** What may happen to a thread besides its next step. */
  function choices(state: State, actor: number): State[] {
    const thread = state.threads[actor]!
    const spec = scenario.threads[actor]!
    const nexts: State[] = []
    if (thread.life === 'dead') return nexts
    const note = (what: string): Trace => ({ step: `${actor + 1}: ${what}`, before: state.trace })
    if (thread.sleep === 1 && spec.timed && thread.node.op![3] !== Infinity) {
      const sleepers = state.sleepers.filter((s) => s.thread !== actor || s.callback !== 0)
      const woken = { ...thread, sleep: 0 as const, late: true, node: thread.node.after('timed-out') }
      nexts.push({ ...replace(state, actor, woken), sleepers, trace: note('times out') })
    }
    if (thread.node.op?.[0] === 'event') {
      for (const event of thread.maybes) {
        const maybes = thread.maybes.filter((m) => m !== event)
        const next = { ...thread, maybes, node: thread.node.after(event) }
        nexts.push({ ...replace(state, actor, next), trace: note(`event ${event}, by choice`) })
      }
    }
    const ended = thread.node.op?.[0] === 'event' && thread.events.length === 0 && thread.waiting === 0
    if (spec.mortal && state.deaths > 0 && !ended) {
      let supervisor = supervisorOf.get(actor + 1)
      if (!supervisor) supervisorOf.set(actor + 1, (supervisor = startSupervisor(actor + 1, count, mutate)))
      const owned = state.known.filter((address) => (word(state, address) & OWNER) === actor + 1)
      nexts.push({
        ...replace(state, actor, { ...thread, life: 'dead' }),
        supervisors: [...state.supervisors, supervisor],
        orphaned: union(
          state.orphaned,
          owned.filter((address) => state.inside[address] === actor + 1),
        ),
        doubtful: union(state.doubtful, owned),
        inside: Object.fromEntries(Object.entries(state.inside).filter(([, by]) => by !== actor + 1)),
        deaths: state.deaths - 1,
        trace: note('dies'),
      })
    }
    return nexts
  }

  /** The states that a step of an actor leads to. */
  function steps(state: State, actor: number): State[] {
    if (actor >= count) {
      const i = actor - count
      const node = state.supervisors[i]!
      const { value, state: next } = carryOut(state, actor, node.op!)
      const supervisors = [...next.supervisors]
      supervisors[i] = node.after(value)
      return [{ ...next, supervisors, trace: traced(state, 'supervisor', node.op!, value) }]
    }
    const thread = state.threads[actor]!
    const op = thread.node.op!
    if (thread.node.length > ENDLESS) throw violation(state, `${actor + 1} goes on for ever`)
    const done = (from: State, value: Value, change: Partial<ThreadState> = {}): State =>
      goOn(
        {
          ...replace(from, actor, { ...from.threads[actor]!, ...change, node: thread.node.after(value) }),
          trace: traced(state, String(actor + 1), op, value),
        },
        actor,
      )
    switch (op[0]) {
      case 'now': {
        if (!thread.timeRead) return [done(state, 1, { timeRead: true })]
        const late = done(state, 1e9, { late: true })
        if (thread.late) return [late]
        return scenario.threads[actor]!.timed ? [done(state, 1), late] : [done(state, 1)]
      }
      case 'wait': {
        if (thread.sleep === 2) return [done(state, 'woken', { sleep: 0 })]
        if (word(state, op[1]!) !== op[2]) return [done(state, 'woken')]
        const sleepers = [...state.sleepers, { thread: actor, address: op[1]!, callback: 0 }]
        const asleep = replace(state, actor, { ...thread, sleep: 1 })
        return [{ ...asleep, sleepers, trace: traced(state, String(actor + 1), op, 'asleep') }]
      }
      case 'event': {
        const [event, ...events] = thread.events
        return [done(state, event!, { events })]
      }
      case 'isDue':
        return [done(state, 0), done(state, 1)]
      default: {
        const { value, state: next } = carryOut(state, actor, op)
        return [markCycles(done(next, value))]
      }
    }
  }

  /** Carries out the plain accesses that come next, up to where the thread may die. */
  function goOn(state: State, actor: number): State {
    let at = state
    for (;;) {
      const thread = at.threads[actor]!
      const op = thread.node.op
      if (!op || !isPlain(thread)) return at
      if (op[0] === 'set' && scenario.threads[actor]!.mortal && at.deaths > 0) return at
      at = plain(at, actor)
    }
  }

  function plain(state: State, actor: number): State {
    const thread = state.threads[actor]!
    const op = thread.node.op!
    if (thread.node.length > ENDLESS) throw violation(state, `${actor + 1} goes on for ever`)
    const { value, state: next } = carryOut(state, actor, op)
    return {
      ...replace(next, actor, { ...next.threads[actor]!, node: thread.node.after(value) }),
      trace: traced(state, String(actor + 1), op, value),
    }
  }

  function carryOut(state: State, actor: number, op: Op): { value: Value; state: State } {
    const [name, a = 0, b = 0, c = 0] = op
    const old = a >= 0 && a >> 2 < WORDS ? word(state, a) : 0
    const thread = state.threads[actor]
    const own = (change: Partial<ThreadState>): State => replace(state, actor, { ...thread!, ...change })
    if (old === GONE && TOUCHES.has(name)) throw violation(state, `${actor + 1} touches ${a}, which was given back`)
    switch (name) {
      case 'get':
      case 'set':
        if (a >= Layout.nodes || (a >= Layout.queue && a < Layout.blocks)) {
          if (word(state, Layout.queue) !== actor + 1) throw violation(state, `${actor + 1} touches ${a} unguarded`)
        }
        if (name === 'get') return { value: old, state }
        return { value: 0, state: write(state, a, b) }
      case 'fill':
        return { value: 0, state: fill(state, a, b, c) }
      case 'or':
        return { value: 0, state: write(state, a, old | b) }
      case 'nap':
        return { value: 0, state }
      case 'hold':
        return { value: 0, state: own({ holds: thread!.holds + a }) }
      case 'count': {
        const counter = a as unknown as string
        const counters = { ...thread!.counters, [counter]: (thread!.counters[counter] ?? 0) + b }
        const next = own({ counters })
        const wrong = scenario.invariant?.(sums(next))
        if (wrong) throw violation(next, wrong)
        return { value: 0, state: next }
      }
      case 'load':
        return { value: old, state }
      case 'store':
        return { value: 0, state: heldByDead(write(state, a, b), a) }
      case 'add':
        return { value: 0, state: write(state, a, old + b) }
      case 'exchange':
        return { value: old, state: write(state, a, b) }
      case 'compareExchange':
        return { value: old, state: old === b ? write(state, a, c) : state }
      case 'notify':
        return { value: 0, state: notify(state, a, b) }
      case 'isAlive':
        return { value: isMarked(state, a) ? 0 : 1, state }
      case 'deaths':
        return { value: state.supervisors.filter((node) => node.length >= 2).length, state }
      case 'countPark':
        return { value: 0, state: own({ parks: thread!.parks + 1 }) }
      case 'announce':
        return { value: 0, state: own({ parked: a, cyclic: a === 0 && thread!.cyclic }) }
      case 'parkedOnNode':
      case 'slotParked':
        return { value: state.threads[a - 1]!.parked, state }
      case 'timesParked':
        return { value: state.threads[a - 1]!.parks, state }
      case 'sleepAsync': {
        if (old !== b) return { value: 0, state: own({ events: [...thread!.events, c] }) }
        return {
          value: 0,
          state: { ...state, sleepers: [...state.sleepers, { thread: actor, address: a, callback: c }] },
        }
      }
      case 'maybe':
        return { value: 0, state: own({ maybes: [...thread!.maybes, a] }) }
      case 'later':
        return { value: 0, state: own({ events: [...thread!.events, a] }) }
      case 'waiting':
        return { value: 0, state: own({ waiting: thread!.waiting + a }) }
      case 'enter': {
        if (state.inside[a]) throw violation(state, `${actor + 1} and ${state.inside[a]} are both inside`)
        const orphan = state.orphaned.includes(a)
        if (orphan && b === 0) throw violation(state, `${actor + 1} was not told that the lock is abandoned`)
        if (b === 1 && !state.doubtful.includes(a)) throw violation(state, 'abandoned by nobody')
        abandoned += b
        const orphaned = state.orphaned.filter((o) => o !== a)
        const doubtful = state.doubtful.filter((o) => o !== a)
        return { value: 0, state: { ...state, inside: { ...state.inside, [a]: actor + 1 }, orphaned, doubtful } }
      }
      case 'leave': {
        const { [a]: _, ...inside } = state.inside
        return { value: 0, state: { ...state, inside } }
      }
      case 'deadlocked': {
        if (!thread!.cyclic) throw violation(state, `${actor + 1} was told of a deadlock that it isn't in`)
        deadlocks++
        // The cycle is broken: nobody else of it is to be told.
        const threads = state.threads.map((other) => ({ ...other, cyclic: false }))
        return { value: 0, state: { ...state, threads } }
      }
      case 'markDead':
      case 'countDeath':
        // `isAlive` and `deaths` read it off the supervisor's progress.
        return { value: 0, state }
      case 'postExit': {
        const to = state.threads[a - 1]!
        const next = to.life === 'alive' ? replace(state, a - 1, { ...to, events: [...to.events, 0] }) : state
        return { value: 0, state: next }
      }
      default:
        throw new Error(`What is ${name}?`)
    }
  }

  /** A lock that was handed to a thread that had just died: the next one may be told. */
  function heldByDead(state: State, address: number): State {
    const owner = word(state, address) & OWNER
    if (!state.known.includes(address) || state.threads[owner - 1]?.life !== 'dead') return state
    return { ...state, doubtful: union(state.doubtful, [address]) }
  }

  function isMarked(state: State, dead: number): boolean {
    const start = supervisorOf.get(dead)
    return start !== undefined && state.supervisors.some((node) => node !== start && rootOf(node) === start)
  }

  function notify(state: State, address: number, limit: number): State {
    let next = state
    let left = limit
    const sleepers: Sleeper[] = []
    for (const sleeper of state.sleepers) {
      if (sleeper.address !== address || left <= 0) {
        sleepers.push(sleeper)
        continue
      }
      left--
      const thread = next.threads[sleeper.thread]!
      // The dead swallow it.
      if (thread.life === 'dead') continue
      next = replace(
        next,
        sleeper.thread,
        sleeper.callback === 0 ? { ...thread, sleep: 2 } : { ...thread, events: [...thread.events, sleeper.callback] },
      )
    }
    return { ...next, sleepers }
  }

  /** Notes which threads are parked in a cycle now. */
  function markCycles(state: State): State {
    let next = state
    for (const [actor, thread] of state.threads.entries()) {
      if (thread.parked === 0 || thread.cyclic) continue
      let at = actor
      for (let hops = 0; hops < count; hops++) {
        const { parked, life } = state.threads[at] ?? { parked: 0, life: 'dead' }
        if (parked === 0 || life === 'dead') break
        const address = word(state, parked + NODE_ADDRESS)
        if (address === 0) break
        const holder = word(state, address) & OWNER
        if (holder === 0) break
        at = holder - 1
        if (at === actor) {
          next = replace(next, actor, { ...next.threads[actor]!, cyclic: true })
          break
        }
      }
    }
    return next
  }

  function checkEnd(state: State): void {
    for (const [actor, thread] of state.threads.entries()) {
      if (thread.life === 'dead') continue
      if (thread.node.op?.[0] === 'nap') throw violation(state, `${actor + 1} waits for a guard for ever`)
      if (scenario.mayWait) continue
      if (thread.sleep === 1) throw violation(state, `${actor + 1} sleeps for ever`)
      if (thread.waiting > 0) throw violation(state, `an async waiter of ${actor + 1} waits for ever`)
      if (thread.holds !== 0) throw violation(state, `${actor + 1} is held open for ever`)
    }
    const wrong = scenario.finally?.(sums(state), (address) => word(state, address))
    if (wrong) throw violation(state, wrong)
    const died = state.threads.some((thread) => thread.life === 'dead')
    for (const address of state.known) {
      const owner = word(state, address) & OWNER
      if (owner !== 0 && state.threads[owner - 1]!.life === 'alive') throw violation(state, 'a lock is held in the end')
      if (!died && owner === 0 && word(state, address) !== 0 && !state.doubtful.includes(address)) {
        throw violation(state, 'a flag is left over')
      }
    }
    if (died || scenario.mayWait) return
    for (let at: number = Layout.queue; at < Layout.queue + 24; at += 4) {
      if (at !== Layout.queue + 16 && at !== Layout.queue + 20 && word(state, at) !== 0) {
        throw violation(state, 'the queue is not empty')
      }
    }
  }
}

const PLAIN = new Set(['get', 'set', 'fill', 'hold'])
/** Where nobody dies these have one answer. */
const PLAIN_WITHOUT_DEATHS = new Set([...PLAIN, 'isAlive', 'deaths', 'countPark'])

/** Whatever reads or writes a word. */
const TOUCHES = new Set(['get', 'set', 'load', 'store', 'add', 'exchange', 'compareExchange', 'or', 'sleepAsync'])

function union(some: readonly number[], others: readonly number[]): number[] {
  return [...new Set([...some, ...others])].sort((a, b) => a - b)
}

function sums(state: State): Record<string, number> {
  const totals: Record<string, number> = {}
  for (const { life, counters } of state.threads) {
    if (life === 'dead') continue
    for (const [name, value] of Object.entries(counters)) totals[name] = (totals[name] ?? 0) + value
  }
  return totals
}

function fill(state: State, address: number, bytes: number, value: number): State {
  const words = [...state.words]
  words.fill(value, address >> 2, (address + bytes) >> 2)
  return { ...state, words }
}

/** States are told apart by a hash of 128 bits, not whole. */
function digest(text: string): string {
  let [a, b, c, d] = [0x811c9dc5, 0x9e3779b9, 0x85ebca6b, 0xc2b2ae35]
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    a = Math.imul(a ^ code, 0x01000193)
    b = Math.imul(b ^ code, 0x5bd1e995) ^ (b >>> 13)
    c = Math.imul(c + code, 0xcc9e2d51) ^ (c >>> 15)
    d = Math.imul(d + code + i, 0x1b873593) ^ (d >>> 16)
  }
  return String.fromCharCode(a & 0xffff, a >>> 16, b & 0xffff, b >>> 16, c & 0xffff, c >>> 16, d & 0xffff, d >>> 16)
}

function rootOf(node: LogNode): LogNode {
  let at = node
  while (at.parent) at = at.parent
  return at
}

function word(state: State, address: number): number {
  return state.words[address >> 2]!
}

function write(state: State, address: number, value: number): State {
  const words = [...state.words]
  words[address >> 2] = value | 0
  const known =
    (address === FIRST_LOCK || address === SECOND_LOCK) && !state.known.includes(address)
      ? [...state.known, address].sort()
      : state.known
  return { ...state, words, known }
}

function replace(state: State, actor: number, thread: ThreadState): State {
  const threads = [...state.threads]
  threads[actor] = thread
  return { ...state, threads }
}

function traced(state: State, who: string, op: Op, value: Value): Trace {
  return { step: `${who}: ${op.join(' ')} → ${value}`, before: state.trace }
}

function violation(state: State, message: string): Violation {
  return new Violation(message, { cause: state })
}
