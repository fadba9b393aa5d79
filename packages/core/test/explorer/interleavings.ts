/**
 * Walks through all interleavings of threads that run over a model of shared memory, with event loops and deaths.
 *
 * A modelled thread runs real code over facades of `Atomics` and of a typed array. To step it, its code is run again from
 * the start: the facades answer from the thread's log and throw at the first operation that the log doesn't have. The
 * scheduler carries that operation out and appends its result to the log. Equal states are walked once. Plain reads and
 * writes are steps as well, so that what isn't ordered by atomic ones shows itself.
 *
 * What must hold: no operation is refused by the scenario's own rules; no thread runs for ever; where nobody can take a step, each living thread
 * has come to the end of its code or waits in its event loop; and what the scenario says of that end.
 */

/** An operation, with its operands. */
export type Op = readonly [name: string, ...operands: number[]]

/** Shared memory, by index of 32-bit words; what was never written is 0. */
export interface Words {
  get(index: number): number
  set(index: number, value: number): void
}

/** What the code of a thread may do. */
export interface Thread {
  readonly id: number
  /** The facade that stands for a typed array of all words. */
  readonly i32: Int32Array
  readonly Atomics: ModelAtomics
  /** An operation of the scenario's own. */
  op(name: string, ...operands: number[]): number
  /** Goes on once the word has another value. */
  waitWhile(index: number, value: number): void
  /** Waits until somebody has called `wake` for this thread once more than it has slept. */
  sleep(): void
  wake(id: number): void
  /** Has the event loop of another thread call back. */
  post(id: number): void
  onMessage(callback: () => void): void
  /** Called back by the event loop after another thread has died. */
  onExit(callback: () => void): void
  /** Says what became of it, for the scenario's end. */
  tell(what: number): void
}

export interface ModelAtomics {
  load(array: unknown, index: number): number
  store(array: unknown, index: number, value: number): number
  add(array: unknown, index: number, value: number): number
  compareExchange(array: unknown, index: number, expected: number, value: number): number
  notify(array: unknown, index: number): number
  /** Blocks. */
  wait(array: unknown, index: number, value: number): void
  waitAsync(array: unknown, index: number, value: number): AsyncWait
}

type AsyncWait = { async: false } | { async: true; value: { then(callback: () => void): void } }

export interface Scenario {
  /** Each is run; then its event loop turns. They are threads 1, 2, … */
  readonly threads: ReadonlyArray<(thread: Thread) => void>
  /** Threads that may die before any of their steps, one of them in a run. */
  readonly mortal?: readonly number[]
  /** How often a thread may be interrupted that could go on; without it, always. */
  readonly preemptions?: number
  readonly words?: Readonly<Record<number, number>>
  /** Operations of its own: undefined where the thread must wait, text where it must never have come to this. */
  readonly ops?: Readonly<
    Record<string, (words: Words, thread: number, operands: readonly number[]) => number | string | undefined>
  >
  /** What wakes others after a death. */
  readonly supervise?: (thread: Thread, dead: number) => void
  /** What is wrong before a step, if something is: of its name and operands. */
  readonly refuse?: (op: Op, words: Words, thread: number) => string | undefined
  /** What is wrong with what the threads have told, each in order, undefined where nothing is. */
  readonly finally: (told: ReadonlyArray<readonly number[]>, words: Words) => string | undefined
}

export interface Findings {
  readonly states: number
  readonly ends: number
  readonly violation?: string
  readonly trace?: readonly string[]
}

/** A log of results, as a tree: equal logs are one node, so that each is run once. */
class LogNode {
  static #count = 0
  readonly id = LogNode.#count++
  readonly op: Op | undefined
  readonly failure: string | undefined
  readonly #next = new Map<number, LogNode>()

  constructor(
    readonly run: (log: readonly number[]) => Op | string | undefined,
    readonly log: readonly number[] = [],
  ) {
    const next = run(log)
    if (typeof next === 'string') {
      this.op = ['fails']
      this.failure = next
    } else this.op = next
  }

  after(value: number): LogNode {
    let node = this.#next.get(value)
    if (!node) this.#next.set(value, (node = new LogNode(this.run, [...this.log, value])))
    return node
  }
}

interface Actor {
  /** Where it stands in its code; undefined before a supervisor begins, and after a death. */
  readonly node: LogNode | undefined
  readonly asleepAt: number
  /** Indices of the words that it waits for without blocking, by the number of the wait. */
  readonly armed: ReadonlyArray<readonly [index: number, wait: number]>
  /** What its event loop has to do: numbers of waits that have fired, or MESSAGE, or EXIT. */
  readonly events: readonly number[]
  readonly wakes: number
  readonly told: readonly number[]
}

interface State {
  readonly words: ReadonlyMap<number, number>
  readonly actors: readonly Actor[]
  readonly died: boolean
  readonly running: number
  readonly budget: number
  readonly trace: { readonly step: string; readonly before: State['trace'] } | undefined
}

const MESSAGE = -1
const EXIT = -2
const NOWHERE = -1
/** A thread that takes more steps runs for ever. */
const MOST_STEPS = 250
const PAUSE = new Error('The log ends here.')

/** The operation at which a thread's log ends; undefined where its code does, text where it throws. */
function replay(
  id: number,
  code: (thread: Thread) => void,
  log: readonly number[],
  hasLoop: boolean,
): Op | string | undefined {
  let used = 0
  let pending: Op | undefined
  const op = (...wanted: Op): number => {
    // Also from `finally` blocks on the way out.
    if (pending) throw PAUSE
    if (used < log.length) return log[used++]!
    pending = wanted
    throw PAUSE
  }
  const waits: Array<() => void> = []
  let onMessage = () => {}
  let onExit = () => {}
  const thread: Thread = {
    id,
    i32: new Proxy([] as unknown as Int32Array, {
      get: (_, index) => op('read', Number(index)),
      set(_, index, value: number) {
        op('write', Number(index), value | 0)
        return true
      },
    }),
    Atomics: {
      load: (_, index) => op('load', index),
      store: (_, index, value) => op('store', index, value | 0),
      add: (_, index, value) => op('add', index, value),
      compareExchange: (_, index, expected, value) => op('compareExchange', index, expected | 0, value | 0),
      notify: (_, index) => op('notify', index),
      wait: (_, index, value) => void op('wait', index, value | 0),
      waitAsync(_, index, value) {
        const wait = waits.length
        if (op('waitAsync', index, value | 0, wait) === 0) return { async: false }
        waits.push(() => {})
        // biome-ignore lint/suspicious/noThenProperty: what `waitAsync` gives has a promise.
        return { async: true, value: { then: (callback) => void (waits[wait] = callback) } }
      },
    },
    op,
    waitWhile: (index, value) => void op('waitWhile', index, value | 0),
    sleep: () => void op('sleep'),
    wake: (to) => void op('wake', to),
    post: (to) => void op('post', to),
    onMessage: (callback) => (onMessage = callback),
    onExit: (callback) => (onExit = callback),
    tell: (what) => void op('tell', what),
  }
  try {
    code(thread)
    while (hasLoop) {
      const event = op('turn')
      if (event === MESSAGE) onMessage()
      else if (event === EXIT) onExit()
      else waits[event]!()
    }
  } catch (error) {
    if (error !== PAUSE) return `throws ${String(error)}`
  }
  if (!pending && used < log.length) throw new Error('The code under test is not deterministic.')
  return pending
}

/** A successor of a state, or what is wrong with the step to it. */
type Step = { readonly words: Map<number, number>; readonly actors: Actor[]; readonly result: number } | string

export function explore(scenario: Scenario, maxStates = 1_000_000): Findings {
  const count = scenario.threads.length
  const first = scenario.threads.map((code, i) => new LogNode((log) => replay(i + 1, code, log, true)))
  const supervisors = first.map(
    (_, i) => new LogNode((log) => replay(0, (thread) => scenario.supervise?.(thread, i + 1), log, false)),
  )
  const start: Actor = { node: undefined, asleepAt: NOWHERE, armed: [], events: [], wakes: 0, told: [] }
  const seen = new Map<string, number>()
  let ends = 0
  const stack: State[] = [
    {
      words: new Map(Object.entries(scenario.words ?? {}).map(([index, value]) => [Number(index), value | 0])),
      actors: [...first.map((node) => ({ ...start, node })), ...supervisors.map(() => start)],
      died: false,
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
    const runnable = [...state.actors.keys()].filter((i) => canStep(state, i))
    if (runnable.length === 0) {
      ends++
      const violation = wrongAtTheEnd(state)
      if (violation) return { states: seen.size, ends, violation, trace: traceOf(state) }
    }
    for (const i of runnable) {
      const preempts = i !== state.running && runnable.includes(state.running)
      if (preempts && state.budget === 0) continue
      const budget = state.budget - (preempts ? 1 : 0)
      for (const event of choices(state.actors[i]!)) {
        const next = step(state, i, event)
        const trace = { step: `${i + 1}: ${state.actors[i]!.node!.op!.join(' ')}`, before: state.trace }
        if (typeof next === 'string') {
          return { states: seen.size, ends, violation: next, trace: traceOf({ ...state, trace }) }
        }
        const { words, actors, result } = next
        stack.push({
          words,
          actors,
          died: state.died,
          running: i,
          budget,
          trace: { step: `${trace.step} → ${result}`, before: state.trace },
        })
      }
    }
    if (!state.died) {
      for (const id of scenario.mortal ?? []) {
        const actors = [...state.actors]
        actors[id - 1] = { ...start, told: actors[id - 1]!.told }
        actors[count + id - 1] = { ...start, node: supervisors[id - 1] }
        const trace = { step: `${id} dies`, before: state.trace }
        stack.push({ ...state, actors, died: true, running: -1, trace })
      }
    }
  }
  return { states: seen.size, ends }

  function keyOf({ words, actors, running, died }: State): string {
    const own = actors.map((a) => [a.node?.id, a.asleepAt, a.armed, a.events, a.wakes, a.told])
    const memory = [...words].filter(([, value]) => value !== 0).sort(([a], [b]) => a - b)
    return JSON.stringify([memory, own, died, scenario.preemptions === undefined ? 0 : running])
  }

  function canStep({ words, actors }: State, i: number): boolean {
    const { node, asleepAt, events, wakes } = actors[i]!
    if (!node?.op || asleepAt !== NOWHERE) return false
    const [name, ...operands] = node.op
    if (name === 'turn') return events.length > 0
    if (name === 'sleep') return wakes > 0
    if (name === 'waitWhile') return (words.get(operands[0]!) ?? 0) !== operands[1]
    const own = scenario.ops?.[name]
    return !own || own(memoryOf(new Map(words)), i + 1, operands) !== undefined
  }

  /** The events among which the scheduler may choose. */
  function choices({ node, events }: Actor): readonly (number | undefined)[] {
    return node!.op![0] === 'turn' ? [...new Set(events)] : [undefined]
  }

  function step(state: State, i: number, event: number | undefined): Step {
    const words = new Map(state.words)
    const memory = memoryOf(words)
    const actors = [...state.actors]
    const actor = actors[i]!
    const op = actor.node!.op!
    const [name, a = 0, b = 0, c = 0] = op
    const { failure, log } = actor.node!
    const refused = failure ?? (log.length > MOST_STEPS ? 'runs for ever' : scenario.refuse?.(op, memory, i + 1))
    if (refused) return `${i + 1}: ${refused}`
    const before = memory.get(a)
    let result = 0
    let after: Partial<Actor> = {}
    if (name === 'load' || name === 'read') result = before
    else if (name === 'store' || name === 'write') memory.set(a, (result = b))
    else if (name === 'add') memory.set(a, ((result = before) + b) | 0)
    else if (name === 'compareExchange') {
      result = before
      if (before === b) memory.set(a, c)
    } else if (name === 'notify') {
      for (const [j, other] of actors.entries()) {
        const fired = other.armed.filter(([index]) => index === a).map(([, wait]) => wait)
        if (other.asleepAt !== a && fired.length === 0) continue
        result++
        const armed = other.armed.filter(([index]) => index !== a)
        const asleepAt = other.asleepAt === a ? NOWHERE : other.asleepAt
        actors[j] = { ...other, asleepAt, armed, events: [...other.events, ...fired] }
      }
    } else if (name === 'wait') after = { asleepAt: before === b ? a : NOWHERE }
    else if (name === 'waitAsync') {
      if (actor.armed.length > 0) return `${i + 1} has a wait armed, and arms another one`
      if (before === b) after = { armed: [[a, c]] }
      result = before === b ? 1 : 0
    } else if (name === 'wake') actors[a - 1] = { ...actors[a - 1]!, wakes: actors[a - 1]!.wakes + 1 }
    else if (name === 'sleep') after = { wakes: actor.wakes - 1 }
    else if (name === 'post' || name === 'postExit') {
      const to = actors[a - 1]!
      if (to.node) actors[a - 1] = { ...to, events: [...to.events, name === 'post' ? MESSAGE : EXIT] }
    } else if (name === 'tell') after = { told: [...actor.told, a] }
    else if (name === 'turn') {
      const events = [...actor.events]
      events.splice(events.indexOf(event!), 1)
      result = event!
      after = { events }
    } else if (name !== 'waitWhile') {
      const made = scenario.ops![name]!(memory, i + 1, op.slice(1) as number[])!
      if (typeof made === 'string') return `${i + 1}: ${made}`
      result = made
    }
    // Who goes to sleep has its next operation, and takes it when it is woken.
    actors[i] = { ...actors[i]!, ...after, node: actor.node!.after(result) }
    return { words, actors, result }
  }

  function wrongAtTheEnd({ words, actors }: State): string | undefined {
    const stuck = actors.findIndex(({ node, asleepAt }) => node?.op && (node.op[0] !== 'turn' || asleepAt !== NOWHERE))
    if (stuck >= 0) return `${stuck + 1} waits for ever: ${actors[stuck]!.node!.op!.join(' ')}`
    const told = actors.slice(0, count).map((actor) => actor.told)
    return scenario.finally(told, memoryOf(new Map(words)))
  }
}

const memoryOf = (words: Map<number, number>): Words => ({
  get: (index) => words.get(index) ?? 0,
  set: (index, value) => void words.set(index, value | 0),
})

function traceOf(state: State): string[] {
  const trace: string[] = []
  for (let at = state.trace; at; at = at.before) trace.unshift(at.step)
  return trace
}
