/**
 * A model of shared memory and of threads that a scheduler steps, one operation at a time.
 *
 * A modelled thread runs the lock's real code over a facade. To step it, its code is run again from the
 * start: the facade answers from the thread's log and throws at the first operation that the log doesn't
 * have. The scheduler carries that operation out on the model, appends the result to the log, and so on.
 * A thread's local state is therefore its log; equal logs are kept once (`LogNode`), with the operation
 * that comes next.
 *
 * The dead are modelled with what they do to the living: their sleeps stay in the queues and swallow
 * wake-ups; a supervisor, a thread like the others, does what core's `wakeForDeath` does.
 *
 * Plain accesses (`get`, `set`) are no steps, for nobody else may touch their words meanwhile: the
 * scheduler checks that the guard is held. But a mortal thread may die before each `set`.
 */

import type { makeLock, Outcome } from '../../dist/lock.js'
import type { SyncMemory } from '../../dist/sync-memory.js'
import type { makeWaiting } from '../../dist/waiting.js'

/** The modules under test, over one memory. */
export interface Engine {
  readonly waiting: ReturnType<typeof makeWaiting>
  readonly lock: ReturnType<typeof makeLock>
}
export type MakeEngine = (memory: SyncMemory) => Engine

/** Where the model keeps what is not a primitive's: one queue, then each thread's block, then their nodes. */
export const Layout = {
  queue: 96,
  blocks: 128,
  nodes: 192,
  nodesEach: 192,
  bytes: (threads: number): number => 192 + threads * 192,
} as const

/** What stands in blocks that were given back, and in no others: nobody touches those. */
export const GONE = 0x60_4e_60_4e

/** An operation that a thread is about to carry out: its name and operands. */
export type Op = readonly [name: string, ...operands: number[]]
/** What became of it. */
export type Value = number | string

/** What a scenario's code may do. */
export interface ThreadContext {
  readonly waiting: Engine['waiting']
  readonly lock: Engine['lock']
  /** The critical section: it is an error that two are in it, or that the outcome isn't the right one. */
  inside(address: number, outcome: Outcome, body?: () => void): void
  /** Takes the lock without blocking, as `acquire` does; `then` runs in a microtask. */
  acquire(address: number, then: (outcome: Outcome) => void): { giveUp(): boolean; served(): boolean }
  /** Adds to one of this thread's counters, for the scenario's invariant; a thread's counters end with it. */
  count(name: string, delta: number): void
  /** Says that an asynchronous waiter waits (1), or no longer (−1): none may wait for ever. */
  waits(delta: number): void
  /** The scheduler may, but need not, call this back at any later time of the event loop. */
  maybe(callback: () => void): void
  /** Calls back from the event loop. */
  later(callback: () => void): void
  /** Calls back when the running code has returned, as a promise does. */
  soon(callback: () => void): void
  /** Says that this thread was told of a deadlock: it is an error if there was none. */
  deadlocked(): void
}

export interface ThreadSpec {
  readonly run: (context: ThreadContext) => void
  /** The scheduler may kill it at any step. */
  readonly mortal?: boolean
  /** Time may pass, so that its timeouts expire. */
  readonly timed?: boolean
  readonly cannotBlock?: boolean
  /** How many loads it spends on waiting before it parks: none unless given. */
  readonly spins?: number
}

/** The supervisor's operations are its own. */
export const SUPERVISOR_OPS = {
  markDead: 'markDead',
  countDeath: 'countDeath',
  slotParked: 'slotParked',
  postExit: 'postExit',
} as const

/** A log of results, as a tree: equal logs are one node. */
export class LogNode {
  readonly #next = new Map<Value, LogNode>()
  /** The operation that comes next; undefined when the thread's code has ended. */
  op: Op | undefined
  static #count = 0
  readonly id = LogNode.#count++
  readonly length: number

  constructor(
    readonly replay: (log: Value[]) => Op | undefined,
    readonly parent?: LogNode,
    readonly value?: Value,
  ) {
    this.length = parent ? parent.length + 1 : 0
    this.op = replay(this.log())
  }

  log(): Value[] {
    const log: Value[] = []
    for (let at: LogNode = this; at.parent; at = at.parent) log.push(at.value!)
    return log.reverse()
  }

  after(value: Value): LogNode {
    let node = this.#next.get(value)
    if (!node) this.#next.set(value, (node = new LogNode(this.replay, this, value)))
    return node
  }
}

const PAUSE = new Error('The log ends here.')

/** Carries out code against a log; gives the operation at which the log ends. */
function replayer(code: (op: (...op: Op) => Value) => void): (log: Value[]) => Op | undefined {
  return (log) => {
    let at = 0
    let pending: Op | undefined
    const op = (...wanted: Op): Value => {
      // Also from `finally` blocks on the way out.
      if (pending) throw PAUSE
      if (at < log.length) return log[at++]!
      pending = wanted
      throw PAUSE
    }
    try {
      code(op)
    } catch (error) {
      if (error !== PAUSE) throw error
    }
    if (!pending && at < log.length) throw new Error('The code under test is not deterministic.')
    return pending
  }
}

/** A thread of a scenario, before its first step. */
export function startThread(
  id: number,
  spec: ThreadSpec,
  makeEngine: MakeEngine,
  mutate: (memory: SyncMemory) => SyncMemory,
): LogNode {
  return new LogNode(
    replayer((op) => {
      const callbacks = new Map<number, () => void>()
      const sleeping = new Map<number, number>()
      const freed = new Map<number, number[]>()
      let onExit = () => {}
      let microtasks: Array<() => void> = []
      let lastCallback = 0
      let top = Layout.nodes + (id - 1) * Layout.nodesEach
      const number = (...wanted: Op) => op(...wanted) as number
      const memory: SyncMemory = mutate({
        spins: spec.spins ?? 0,
        awakeMs: 1,
        queueCount: 1,
        load: (address) => number('load', address),
        store: (address, value) => void op('store', address, value),
        add: (address, delta) => void op('add', address, delta),
        exchange: (address, value) => number('exchange', address, value),
        compareExchange: (address, expected, value) => number('compareExchange', address, expected, value),
        notify: (address, count) => void op('notify', address, count),
        get: (address) => number('get', address),
        set: (address, value) => void op('set', address, value),
        reach() {},
        queues: () => Layout.queue,
        ownBlock: () => Layout.blocks + (id - 1) * 16,
        allocate(bytes) {
          const address = freed.get(bytes)?.pop()
          if (address === undefined) return (top += bytes) - bytes
          op('fill', address, bytes, 0)
          return address
        },
        free(address, bytes) {
          op('fill', address, bytes, GONE)
          if (!freed.has(bytes)) freed.set(bytes, [])
          freed.get(bytes)!.push(address)
        },
        nap: (address, expected) => void op('nap', address, expected),
        park(address, expected, timeout, worthwhile) {
          op('countPark')
          op('announce', address)
          try {
            if (!worthwhile()) return 'woken'
            return op('wait', address, expected, timeout) as 'woken' | 'timed-out'
          } finally {
            op('announce', 0)
          }
        },
        sleepAsync(address, expected, onWoken) {
          const callback = ++lastCallback
          callbacks.set(callback, () => {
            sleeping.delete(callback)
            onWoken()
          })
          sleeping.set(callback, address)
          op('sleepAsync', address, expected, callback)
        },
        holdOpen() {
          op('hold', 1)
          return () => void op('hold', -1)
        },
        onExit: (callback) => (onExit = callback),
        ownThreadId: () => id,
        isAlive: (thread) => thread === id || op('isAlive', thread) === 1,
        deaths: () => number('deaths'),
        canBlock: () => !spec.cannotBlock,
        now: () => (spec.timed || spec.cannotBlock ? number('now') : 1),
        clock: () => 0,
        isDue: () => op('isDue') === 1,
        isParked: (thread) => op('parkedOnNode', thread) !== 0,
        parkedOnNode: (thread) => number('parkedOnNode', thread),
        timesParked: (thread) => number('timesParked', thread),
        waitNote: () => '',
        calleeOf: () => 0,
      })
      const { lock, waiting } = makeEngine(memory)
      const drain = () => {
        while (microtasks.length > 0) {
          const due = microtasks
          microtasks = []
          for (const microtask of due) microtask()
        }
      }
      spec.run({
        lock,
        waiting,
        inside(address, outcome, body) {
          op('enter', address, outcome === 'abandoned' ? 1 : 0)
          body?.()
          op('leave', address)
        },
        acquire(address, then) {
          let served = false
          const waiter = {
            granted(outcome: Outcome) {
              served = true
              op('waiting', -1)
              microtasks.push(() => then(outcome))
            },
          }
          op('waiting', 1)
          const node = lock.enqueue(address, waiter)
          return {
            served: () => served,
            giveUp() {
              if (served || !lock.withdraw(node)) return false
              op('waiting', -1)
              return true
            },
          }
        },
        count: (name, delta) => void op('count', name as never, delta),
        waits: (delta) => void op('waiting', delta),
        soon: (callback) => void microtasks.push(callback),
        maybe(callback) {
          callbacks.set(++lastCallback, callback)
          op('maybe', lastCallback)
        },
        later(callback) {
          callbacks.set(++lastCallback, callback)
          op('later', lastCallback)
        },
        deadlocked: () => void op('deadlocked'),
      })
      drain()
      for (;;) {
        const event = number('event')
        if (event === 0) {
          // Another thread's end: core's `wait.ts` wakes this thread's sleeps, then the engine hears of it.
          for (const address of new Set(sleeping.values())) memory.notify(address, Infinity)
          onExit()
        } else {
          callbacks.get(event)!()
          callbacks.delete(event)
        }
        drain()
      }
    }),
  )
}

const LOOK_AGAIN = 0x40000000

/** What core's supervisor does at a death: `markDead`, `wakeForDeath`, then a message to each thread. */
export function startSupervisor(dead: number, threads: number, mutate: (memory: SyncMemory) => SyncMemory): LogNode {
  return new LogNode(
    replayer((op) => {
      const { notify } = mutate({ notify: (address, count) => void op('notify', address, count) } as SyncMemory)
      op(SUPERVISOR_OPS.markDead, dead)
      op(SUPERVISOR_OPS.countDeath)
      for (let id = 1; id <= threads; id++) {
        const address = op(SUPERVISOR_OPS.slotParked, id) as number
        if (address === 0) continue
        op('or', address, LOOK_AGAIN)
        notify(address, Infinity)
      }
      for (let id = 1; id <= threads; id++) if (id !== dead) op(SUPERVISOR_OPS.postExit, id)
    }),
  )
}
