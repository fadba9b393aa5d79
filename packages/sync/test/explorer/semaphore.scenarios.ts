import { makeSemaphore } from '../../dist/semaphore-core.js'
import type { Scenario } from './explore.js'
import { Layout, type ThreadContext, type ThreadSpec } from './model.js'

/** What the scenarios run; tests put a broken one in its place. */
export const subject = { makeSemaphore }

const S = 64
/** 1 while somebody uses the only permit. */
const IN_USE = 92
/** A second semaphore. */
const SIGNALS = 32

/** A semaphore as one thread has it. */
function seatAt(core: ReturnType<typeof makeSemaphore>, address: number, permits: number) {
  const seat = core.attach(address, permits)
  return {
    acquireSync: (weight: number, timeout?: number) =>
      core.acquireSync(seat, weight, { timeout, what: () => 'semaphore', instead: 'await it' }),
    tryAcquire: (weight: number) => core.tryAcquire(seat, weight),
    enqueue: (weight: number, waiter: { granted(): void }) => core.enqueue(seat, weight, waiter),
    withdraw: core.withdraw,
    release: (weight: number) => core.release(seat, weight),
    available: () => core.available(seat),
    /** The semaphore for signals. */
    signals: () => seatAt(core, SIGNALS, 0),
  }
}

type Semaphore = ReturnType<typeof seatAt>

function attach({ waiting }: ThreadContext, permits: number): Semaphore {
  return seatAt(subject.makeSemaphore(waiting), S, permits)
}

/** Uses permits, and gives them back. */
function use({ count }: ThreadContext, semaphore: Semaphore, weight: number): void {
  count('inside', weight)
  count('inside', -weight)
  semaphore.release(weight)
  count('done', 1)
}

function blocker(permits: number, ...weights: number[]): ThreadSpec {
  return {
    run(context) {
      const semaphore = attach(context, permits)
      for (const weight of weights) {
        semaphore.acquireSync(weight)
        use(context, semaphore, weight)
      }
    },
  }
}

function impatient(permits: number, weight: number): ThreadSpec {
  return {
    timed: true,
    run(context) {
      const semaphore = attach(context, permits)
      try {
        semaphore.acquireSync(weight, 5)
      } catch (error) {
        if (error instanceof DOMException) return
        throw error
      }
      use(context, semaphore, weight)
    },
  }
}

function trier(permits: number, weight: number): ThreadSpec {
  return {
    run(context) {
      const semaphore = attach(context, permits)
      if (semaphore.tryAcquire(weight)) use(context, semaphore, weight)
    },
  }
}

const triesTwice: ThreadSpec = {
  run(context) {
    const semaphore = attach(context, 1)
    for (let i = 0; i < 2; i++) if (semaphore.tryAcquire(1)) use(context, semaphore, 1)
  },
}

/** Awaits permits; gives a function that gives up, and one that says whether they came. */
function enqueue(context: ThreadContext, semaphore: Semaphore, weight: number, then = () => {}) {
  let served = false
  context.waits(1)
  const node = semaphore.enqueue(weight, {
    granted() {
      served = true
      context.waits(-1)
      context.soon(() => {
        use(context, semaphore, weight)
        then()
      })
    },
  })
  return {
    served: () => served,
    giveUp() {
      if (!served && semaphore.withdraw(node)) context.waits(-1)
    },
  }
}

function awaiter(permits: number, ...weights: number[]): ThreadSpec {
  return {
    run(context) {
      const semaphore = attach(context, permits)
      for (const weight of weights) enqueue(context, semaphore, weight)
    },
  }
}

/** Holds what it awaited over a turn of the event loop. */
function slowAwaiter(permits: number, weight: number): ThreadSpec {
  return {
    run(context) {
      const semaphore = attach(context, permits)
      context.waits(1)
      semaphore.enqueue(weight, {
        granted() {
          context.waits(-1)
          context.count('inside', weight)
          context.later(() => {
            context.count('inside', -weight)
            semaphore.release(weight)
          })
        },
      })
    },
  }
}

function aborted(permits: number, weight: number): ThreadSpec {
  return {
    run(context) {
      const waiter = enqueue(context, attach(context, permits), weight)
      context.maybe(() => waiter.giveUp())
    },
  }
}

function giver(...weights: number[]): ThreadSpec {
  return {
    run(context) {
      const semaphore = attach(context, 0)
      for (const weight of weights) semaphore.release(weight)
    },
  }
}

function taker(...weights: number[]): ThreadSpec {
  return {
    run(context) {
      const semaphore = attach(context, 0)
      for (const weight of weights) {
        semaphore.acquireSync(weight)
        context.count('taken', weight)
      }
    },
  }
}

/** Awaits the only permit, then blocks for a signal, which is given only after somebody else has had the permit. */
const awaiterBlockedElsewhere: ThreadSpec = {
  run(context) {
    const semaphore = attach(context, 1)
    const signals = semaphore.signals()
    // With the permit in hand, blocking for the other one would be the program's own deadlock.
    if (!enqueue(context, semaphore, 1).served()) signals.acquireSync(1)
  },
}

/** Has the permit, and awaits it for a second time before it gives it back; then it gives the signal. */
const twiceThenSignal: ThreadSpec = {
  run(context) {
    const semaphore = attach(context, 1)
    const signals = semaphore.signals()
    semaphore.acquireSync(1)
    enqueue(context, semaphore, 1, () => signals.release(1))
    use(context, semaphore, 1)
  },
}

/** Awaits a permit, then blocks for one. */
const awaiterThenBlocker: ThreadSpec = {
  run(context) {
    const semaphore = attach(context, 1)
    if (enqueue(context, semaphore, 1).served()) return
    semaphore.acquireSync(1)
    use(context, semaphore, 1)
  },
}

/** Says in memory that it uses the permit, so that the next one knows whether he must be told. */
function marker(told = (_: ThreadContext) => {}): ThreadSpec {
  return {
    run(context) {
      const { count, waiting } = context
      const { memory } = waiting.queues
      const semaphore = attach(context, 1)
      const outcome = semaphore.acquireSync(1)
      if (memory.exchange(IN_USE, 1) === 1 && outcome !== 'abandoned') count('untold', 1)
      if (outcome === 'abandoned') told(context)
      memory.store(IN_USE, 0)
      semaphore.release(1)
      count('done', 1)
    },
  }
}

const countTold = marker(({ count }) => count('told', 1))

/** Uses one of two permits, and wants another while the first thread waits for both. */
const greedy: ThreadSpec = {
  run(context) {
    const { count, waiting } = context
    const semaphore = attach(context, 2)
    semaphore.acquireSync(1)
    count('inside', 1)
    if (waiting.queues.memory.isParked(1) && semaphore.tryAcquire(1)) count('passed', 1)
    count('inside', -1)
    semaphore.release(1)
  },
}

/** Says in memory when it has had both of two permits. */
const both: ThreadSpec = {
  run(context) {
    const semaphore = attach(context, 2)
    semaphore.acquireSync(2)
    context.waiting.queues.memory.store(IN_USE, 1)
    use(context, semaphore, 2)
  },
}

/** Comes after `both`, if that was blocked before. */
const after: ThreadSpec = {
  run(context) {
    const { memory } = context.waiting.queues
    const semaphore = attach(context, 2)
    const isSecond = memory.isParked(1)
    semaphore.acquireSync(1)
    if (isSecond && memory.load(IN_USE) === 0) context.count('passed', 1)
    use(context, semaphore, 1)
  },
}

function inOrder(): Pick<Scenario, 'invariant'> {
  return {
    invariant: ({ passed = 0, inside = 0 }) =>
      passed > 0 ? 'a light one has passed a heavy one' : atMost(2).invariant!({ inside }),
  }
}

/** Takes a signal, and says so in memory. */
const markingTaker: ThreadSpec = {
  run(context) {
    attach(context, 0).acquireSync(1)
    context.waiting.queues.memory.store(IN_USE, 1)
  },
}

/** Comes upon the dead, and takes nothing. */
const counter: ThreadSpec = { run: (context) => void attach(context, 0).available() }

/** Gives up by timeout, in front of those that it has kept waiting. */
const impatientTaker: ThreadSpec = {
  timed: true,
  run(context) {
    try {
      attach(context, 0).acquireSync(2, 5)
    } catch (error) {
      if (!(error instanceof DOMException)) throw error
    }
  },
}

const onlyGiver: ThreadSpec = {
  run(context) {
    attach(context, 0).release(1)
    context.count('given', 1)
  },
}

/** Gives one signal, to who is blocked by now; none otherwise. */
function giverToParked(id: number): ThreadSpec {
  return {
    run(context) {
      const semaphore = attach(context, 0)
      if (!context.waiting.queues.memory.isParked(id)) return
      semaphore.release(1)
      context.count('given', 1)
    },
  }
}

const mortal = (spec: ThreadSpec): ThreadSpec => ({ ...spec, mortal: true })

function atMost(permits: number): Pick<Scenario, 'invariant' | 'finally'> {
  return {
    invariant: ({ inside = 0 }) => (inside > permits ? `${inside} of ${permits} permits are in use` : undefined),
    finally: (_, load) => (load(S) < 0 ? 'there is a permit more' : undefined),
  }
}

function told(): Pick<Scenario, 'invariant' | 'finally'> {
  return {
    invariant: ({ untold = 0 }) => (untold > 0 ? 'a permit of the dead came without a word' : undefined),
    finally: ({ told = 0 }) => (told > 1 ? 'two were told of one death' : undefined),
  }
}

/**
 * Of the signals that were given none is lost: each is free, granted, or held. And there are not more: what a
 * dead thread's code has had doesn't come back.
 */
function oneSignal(): Pick<Scenario, 'finally' | 'mayWait'> {
  return {
    mayWait: true,
    finally({ given = 0 }, load) {
      const free = -load(S)
      let granted = 0
      for (let node = load(Layout.queue + 4); node !== 0; node = load(node + 12)) if (load(node) & 2) granted++
      const held = { mortal: 0, others: 0 }
      for (let record = load(S + 4); record !== 0; record = load(record + 8)) {
        held[record < Layout.nodes + Layout.nodesEach ? 'mortal' : 'others'] += load(record + 4)
      }
      if (free + granted + held.mortal + held.others < given) return 'a signal is lost'
      if (free + load(IN_USE) + held.others > given) return 'a signal came back that was used'
      return undefined
    },
  }
}

/** Small enough to be walked through in a second or so each. */
export const semaphoreScenarios: Record<string, Scenario> = {
  'two block for the only permit, twice each': {
    threads: [blocker(1, 1, 1), blocker(1, 1, 1)],
    preemptions: 3,
    ...atMost(1),
  },
  'three block for the only permit': {
    threads: [blocker(1, 1), blocker(1, 1), blocker(1, 1)],
    preemptions: 2,
    ...atMost(1),
  },
  'three block for 1, 2 and 1 of 2': {
    threads: [blocker(2, 1), blocker(2, 2), blocker(2, 1)],
    preemptions: 2,
    ...atMost(2),
  },
  'one blocks for 2 of 2, one blocks twice, one only tries': {
    threads: [blocker(2, 2), blocker(2, 1, 1), trier(2, 1)],
    preemptions: 1,
    ...atMost(2),
  },
  'a heavy one gives up by timeout, two block': {
    threads: [impatient(2, 2), blocker(2, 1), blocker(2, 2)],
    preemptions: 1,
    ...atMost(2),
  },
  'two await': { threads: [awaiter(1, 1, 1), awaiter(1, 1)], preemptions: 3, ...atMost(1) },
  'two await, one over the event loop, one blocks': {
    threads: [slowAwaiter(2, 1), awaiter(2, 2), blocker(2, 1)],
    preemptions: 1,
    ...atMost(2),
  },
  'a heavy one awaits and gives up, two block': {
    threads: [aborted(2, 2), blocker(2, 1), blocker(2, 2)],
    preemptions: 1,
    ...atMost(2),
  },
  'one awaits and blocks elsewhere, for one who wants the permit again': {
    threads: [awaiterBlockedElsewhere, twiceThenSignal],
    preemptions: 3,
    ...atMost(1),
  },
  'one awaits and blocks for the same, one blocks': {
    threads: [awaiterThenBlocker, blocker(1, 1)],
    preemptions: 4,
    ...atMost(1),
  },
  'one waits for 2 of 2, who has one tries for the other': { threads: [both, greedy], preemptions: 3, ...inOrder() },
  'one waits for 2 of 2, who has one gives it back, one comes later': {
    threads: [both, blocker(2, 1), after],
    preemptions: 2,
    ...inOrder(),
  },
  'one gives two signals, two take one each': { threads: [giver(2), taker(1), taker(1)], preemptions: 2 },
  'one gives a signal three times, one takes 2, one takes 1': {
    threads: [giver(1, 1, 1), taker(2), taker(1)],
    preemptions: 2,
  },
  'a mortal and one who blocks': { threads: [mortal(countTold), countTold], deaths: 1, preemptions: 1, ...told() },
  'one tries twice, one blocks, a stranger dies': {
    threads: [triesTwice, blocker(1, 1), mortal({ run: ({ later }) => later(() => {}) })],
    deaths: 1,
    preemptions: 2,
    ...atMost(1),
  },
  'a mortal and two who block': {
    threads: [mortal(countTold), countTold, countTold],
    deaths: 1,
    preemptions: 0,
    ...told(),
  },
  'a mortal who blocks for 2 of 2, one who blocks, one who awaits': {
    threads: [mortal(blocker(2, 2)), blocker(2, 1), awaiter(2, 2)],
    deaths: 1,
    preemptions: 0,
    ...atMost(2),
  },
  'a mortal who awaits, one who awaits, one who blocks': {
    threads: [mortal(awaiter(1, 1)), awaiter(1, 1), blocker(1, 1)],
    deaths: 1,
    preemptions: 0,
    ...atMost(1),
  },
  'a mortal who waits for a signal, one who gives it, one who counts': {
    threads: [mortal(markingTaker), giverToParked(1), counter],
    deaths: 1,
    preemptions: 1,
    ...oneSignal(),
  },
  'a mortal who gives up in front of one who waits for a signal, one who gives it': {
    threads: [{ ...impatientTaker, mortal: true }, taker(1), onlyGiver],
    deaths: 1,
    preemptions: 0,
    ...oneSignal(),
  },
}

/** Others, which take longer. */
export const longSemaphoreScenarios: Record<string, Scenario> = {
  'a mortal who blocks, one who tries, and one who blocks': {
    threads: [mortal(blocker(1, 1)), mortal(trier(1, 1)), blocker(1, 1)],
    deaths: 2,
    preemptions: 0,
    ...atMost(1),
  },
}
