import { makeLatch } from '../../dist/latch-core.js'
import type { Scenario } from './explore.js'
import type { Words } from './initial-words.js'
import type { ThreadContext, ThreadSpec } from './model.js'

/** What the scenarios run; tests put a broken one in its place. */
export const subject = { makeLatch }

const L = 64
const options = { what: () => 'latch', instead: 'await it' }

function counter(by = 1, times = 1): ThreadSpec {
  return {
    run(context) {
      const latch = subject.makeLatch(context.waiting)
      for (let i = 0; i < times; i++) {
        context.count('counted', by)
        if (latch.countDown(L, by)) continue
        context.count('counted', -by)
        context.count('refused', 1)
      }
    },
  }
}

function went({ count }: ThreadContext): void {
  count('went', 1)
}

function waiter(timeout?: number): ThreadSpec {
  return {
    timed: timeout !== undefined,
    run(context) {
      const latch = subject.makeLatch(context.waiting)
      try {
        latch.waitSync(L, { ...options, timeout })
      } catch (error) {
        if (!(error instanceof DOMException)) throw error
        return
      }
      went(context)
    },
  }
}

function awaitOnce(context: ThreadContext, latch: ReturnType<typeof makeLatch>): () => void {
  let waits = true
  const stop = () => {
    waits = false
    context.waits(-1)
  }
  context.waits(1)
  const node = latch.enqueue(L, {
    granted() {
      stop()
      context.soon(() => went(context))
    },
  })
  return () => {
    if (waits && latch.withdraw(node)) stop()
  }
}

function awaiter(times = 1, andCounts = false): ThreadSpec {
  return {
    run(context) {
      const latch = subject.makeLatch(context.waiting)
      for (let i = 0; i < times; i++) awaitOnce(context, latch)
      if (!andCounts) return
      context.count('counted', 1)
      latch.countDown(L, 1)
    },
  }
}

const aborted: ThreadSpec = {
  run: (context) => context.maybe(awaitOnce(context, subject.makeLatch(context.waiting))),
}

/** Counts for the dead what they have left. */
const executor: ThreadSpec = {
  run({ waiting }) {
    const latch = subject.makeLatch(waiting)
    waiting.queues.memory.onExit(() => {
      const left = latch.countOf(L)
      if (left > 0) latch.countDown(L, left)
    })
  },
}

const mortal = (spec: ThreadSpec): ThreadSpec => ({ ...spec, mortal: true })

interface LatchScenario extends Scenario {
  /** The memory's first words. */
  readonly words: Words
}

/** What must be when so many wait, and so many count too often. */
const wentWell = (n: number, waiters: number, refused = 0) => ({
  ...nobodyTooEarly(n),
  finally: (counters: Readonly<Record<string, number>>) =>
    (counters['went'] ?? 0) !== waiters || (counters['refused'] ?? 0) !== refused
      ? `in the end ${JSON.stringify(counters)}`
      : undefined,
})
const nobodyTooEarly = (n: number) => ({
  words: { [L]: n },
  invariant: ({ counted = 0, went = 0 }: Readonly<Record<string, number>>) =>
    went > 0 && counted < n ? `somebody went when ${counted} of ${n} had counted` : undefined,
})
/** Where the dead took what they had counted with them. */
const allWent = (n: number, waiters: number) => ({ words: { [L]: n }, finally: wentWell(n, waiters).finally })

export const latchScenarios: Record<string, LatchScenario> = {
  'one counts, one blocks': { threads: [counter(), waiter()], ...wentWell(1, 1) },
  'two count, one blocks': { threads: [counter(), counter(), waiter()], ...wentWell(2, 1), preemptions: 3 },
  'one counts, two block': { threads: [counter(), waiter(), waiter()], ...wentWell(1, 2), preemptions: 2 },
  'one counts by two, one awaits twice': { threads: [counter(2), awaiter(2)], ...wentWell(2, 2), preemptions: 4 },
  'one counts, one awaits and counts': { threads: [counter(), awaiter(2, true)], ...wentWell(2, 2) },
  'two count, one awaits': { threads: [counter(), counter(), awaiter()], ...wentWell(2, 1), preemptions: 3 },
  'two count once too often': { threads: [counter(1, 2), counter(1, 2)], ...wentWell(3, 0, 1) },
  'one counts, one gives up by timeout, one blocks': {
    threads: [counter(), waiter(5), waiter()],
    ...nobodyTooEarly(1),
    preemptions: 1,
  },
  'one counts, one awaits and gives up, one awaits': {
    threads: [counter(), aborted, awaiter()],
    ...nobodyTooEarly(1),
    preemptions: 2,
  },
  'a mortal counts, one blocks': {
    threads: [mortal(counter()), waiter(), executor],
    ...allWent(1, 1),
    deaths: 1,
    preemptions: 1,
  },
  'a mortal counts, one awaits twice': {
    threads: [mortal(counter()), awaiter(2), executor],
    ...allWent(1, 2),
    deaths: 1,
    preemptions: 1,
  },
  'a mortal blocks, one counts, one blocks': {
    threads: [mortal(waiter()), counter(), waiter()],
    ...nobodyTooEarly(1),
    deaths: 1,
    preemptions: 0,
  },
}
