/** What threads do with signals in the scenarios of `signal.scenarios.ts`. */
import { makeSignal, SET } from '../../dist/signal-core.js'
import type { ThreadContext, ThreadSpec } from './model.js'

type Signal = ReturnType<typeof makeSignal>

/** What the scenarios run; tests put a broken one in its place. */
export const subject = { makeSignal }

export const S = 64
export const T = 80
const options = { what: () => 'signal', instead: 'await it' }

function signals(context: ThreadContext): Signal {
  return subject.makeSignal(context.waiting)
}

/** What a waiter does that was let go. */
type Then = (context: ThreadContext, signal: Signal) => void

export const go: Then = ({ count }) => count('went', 1)

/** Sets an automatic signal again: one at a time is here, as with a lock. */
export const hold: Then = ({ count }, signal) => {
  count('taken', 1)
  count('went', 1)
  count('taken', -1)
  signal.set(S)
}

export function blocker(then: Then, times = 1, address = S): ThreadSpec {
  return {
    run(context) {
      const signal = signals(context)
      for (let i = 0; i < times; i++) {
        signal.waitSync(address, options)
        then(context, signal)
      }
    },
  }
}

export function impatient(then: Then): ThreadSpec {
  return {
    timed: true,
    run(context) {
      const signal = signals(context)
      try {
        signal.waitSync(S, { ...options, timeout: 5 })
      } catch (error) {
        if (!(error instanceof DOMException)) throw error
        return
      }
      then(context, signal)
    },
  }
}

/** Waits without blocking; gives the function that gives up. */
function awaitOnce(context: ThreadContext, signal: Signal, then: Then): { giveUp(): void; waits(): boolean } {
  let waits = true
  const stop = () => {
    waits = false
    context.waits(-1)
  }
  context.waits(1)
  const node = signal.enqueue(S, {
    granted() {
      stop()
      context.soon(() => then(context, signal))
    },
  })
  return {
    waits: () => waits,
    giveUp() {
      if (waits && signal.withdraw(node)) stop()
    },
  }
}

export function awaiter(then: Then, times = 1): ThreadSpec {
  return {
    run(context) {
      const signal = signals(context)
      for (let i = 0; i < times; i++) awaitOnce(context, signal, then)
    },
  }
}

export function aborted(then: Then): ThreadSpec {
  return {
    run(context) {
      const { giveUp } = awaitOnce(context, signals(context), then)
      context.maybe(giveUp)
    },
  }
}

/** Blocks for the signal that it awaits already. */
export const awaitsAndBlocks: ThreadSpec = {
  run(context) {
    const signal = signals(context)
    // With the signal in hand, blocking for it would be the program's own deadlock.
    if (!awaitOnce(context, signal, hold).waits()) return
    signal.waitSync(S, options)
    hold(context, signal)
  },
}

/** Awaits a signal, and blocks for another. */
export const awaitsAndBlocksForT: ThreadSpec = {
  run(context) {
    const signal = signals(context)
    if (awaitOnce(context, signal, hold).waits()) signal.waitSync(T, options)
  },
}

export const trier: ThreadSpec = {
  run(context) {
    const signal = signals(context)
    if (signal.tryWait(S)) hold(context, signal)
  },
}

/** Sets the signal, after something else. */
export function setter(before?: Then, times = 1): ThreadSpec {
  return {
    run(context) {
      const signal = signals(context)
      before?.(context, signal)
      for (let i = 0; i < times; i++) signal.set(S)
    },
  }
}

/** One of two that answer each other's signals. */
export function pingPong(mine: number, other: number, begins: boolean, rounds: number): ThreadSpec {
  return {
    run(context) {
      const signal = signals(context)
      for (let i = 0; i < rounds; i++) {
        if (begins) signal.set(other)
        signal.waitSync(mine, options)
        if (!begins) signal.set(other)
      }
    },
  }
}

/** Waits twice without blocking, then says on `T` that it does. */
export function waitsAndSays(then: Then, andBlocks = false): ThreadSpec {
  return {
    run(context) {
      const signal = signals(context)
      awaitOnce(context, signal, then)
      awaitOnce(context, signal, then)
      signal.set(T)
      if (!andBlocks) return
      signal.waitSync(S, options)
      then(context, signal)
    },
  }
}

export const waitForT: Then = (_, signal) => signal.waitSync(T, options)
export const setAgain: Then = (_, signal) => signal.set(S)
export const reset: Then = (_, signal) => signal.reset(S)

export const pulser: ThreadSpec = {
  run(context) {
    const signal = signals(context)
    waitForT(context, signal)
    signal.set(S)
    signal.reset(S)
  },
}

/** After a death: sets an automatic signal, if it was lost with the dead by right: who had seen it. */
export const executor: ThreadSpec = {
  run(context) {
    const { waiting } = context
    const signal = signals(context)
    const set = () => {
      context.count('set', 1)
      signal.set(S)
    }
    set()
    waiting.queues.memory.onExit(() => {
      if (!isOwed(waiting)) set()
    })
  },
}

/** As `executor`, where it is the setter who may die. */
export const successor: ThreadSpec = {
  run(context) {
    const { waiting } = context
    const signal = signals(context)
    waiting.queues.memory.onExit(() => {
      if (!isOwed(waiting)) signal.set(S)
    })
  },
}

/**
 * Sets two automatic signals; after the death of the other, which waits so often for `S`, or for `T`
 * with a waiter for `S` that it can't see to, takes what that one hasn't had.
 */
export function heir(waits: number): ThreadSpec {
  return {
    run(context) {
      const { waiting, count } = context
      const signal = signals(context)
      signal.set(S)
      signal.set(T)
      waiting.queues.memory.onExit(() => {
        const owed = isOwed(waiting) || waitersAt(waiting, S) === waits || waitersAt(waiting, T) > 0
        if (owed && !signal.tryWait(S)) count('lost', 1)
        if (signal.tryWait(S) && owed) count('doubled', 1)
      })
    },
  }
}

/** How many wait, dead or alive. */
function waitersAt({ queues, enter, leave }: ThreadContext['waiting'], address: number): number {
  let waiters = 0
  enter(address)
  for (let node = queues.first(address); node !== 0; node = queues.after(node)) waiters++
  leave()
  return waiters
}

/** Whether a signal is on its way to somebody, or set. */
function isOwed({ queues, enter, leave }: ThreadContext['waiting']): boolean {
  enter(S)
  let owed = (queues.memory.load(S) & SET) !== 0
  for (let node = queues.first(S); node !== 0; node = queues.after(node)) if (queues.isGranted(node)) owed = true
  leave()
  return owed
}

/** After the death of one who sets a manual signal: if he had begun, all whom it let go have to go. */
export const resetter: ThreadSpec = {
  run(context) {
    const { waiting } = context
    const signal = signals(context)
    waiting.queues.memory.onExit(() => {
      const begun = waiting.queues.memory.load(S) === SET
      signal.reset(S)
      if (!begun) signal.set(S)
    })
  },
}

/** Takes an automatic signal, and again if that is to be had: more than was set must not be. */
export const greedy: ThreadSpec = {
  run(context) {
    const signal = signals(context)
    signal.waitSync(S, options)
    context.count('taken', 1)
    const again = signal.tryWait(S)
    if (again) context.count('taken', 1)
    context.count('taken', again ? -2 : -1)
    signal.set(S)
  },
}

/** Waits for two who may die, in the queue behind them, and sets twice. */
export const behindTwo: ThreadSpec = {
  run(context) {
    const signal = signals(context)
    waitForT(context, signal)
    awaitOnce(context, signal, go)
    awaitOnce(context, signal, go)
    signal.set(S)
    signal.set(S)
  },
}

/** After a death: sets a signal as often as there are more waiters than are owed one. */
export const executorOfTwo: ThreadSpec = {
  run(context) {
    const { waiting } = context
    const { queues } = waiting
    const signal = signals(context)
    queues.memory.onExit(() => {
      waiting.enter(S)
      let short = (queues.memory.load(S) & SET) === 0 ? 0 : -1
      for (let node = queues.first(S); node !== 0; node = queues.after(node)) {
        if (queues.isGranted(node) && !queues.isLiving(node)) short--
        else if (!queues.isGranted(node) && queues.isLiving(node)) short++
      }
      waiting.leave()
      for (; short > 0; short--) signal.set(S)
      signal.set(T)
    })
  },
}

export const mortal = (spec: ThreadSpec): ThreadSpec => ({ ...spec, mortal: true })
