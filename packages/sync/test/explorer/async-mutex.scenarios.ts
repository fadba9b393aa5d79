import { makeWeightedSemaphore } from '../../dist/async-mutex/weighted-semaphore.js'
import type { Scenario } from './explore.js'
import type { ThreadContext, ThreadSpec } from './model.js'

type Semaphore = ReturnType<typeof makeWeightedSemaphore>

/** What the scenarios run; tests put a broken one in its place. */
export const subject = { makeWeightedSemaphore }

/** Its bytes are zero, and so are its value and all that it knows. (Where the explorer looks for a lock is half a number.) */
const S = 20
/** A word to tell another thread something by. */
const WORD = 92

const start = ({ waiting }: ThreadContext): Semaphore => subject.makeWeightedSemaphore(waiting)

/** Takes a weight, is inside with it, gives it back: when the running code has returned, or as `after` says. */
function take(context: ThreadContext, semaphore: Semaphore, weight = 1, priority = 0, after = context.soon): void {
  const { count, waits } = context
  waits(1)
  semaphore.acquire(S, weight, priority, {
    served() {
      waits(-1)
      count('inside', weight)
      after(() => {
        count('inside', -weight)
        semaphore.release(S, weight)
      })
    },
    canceled: () => waits(-1),
  })
}

function observe({ waits }: ThreadContext, semaphore: Semaphore, weight = 1, priority = 0): void {
  waits(1)
  semaphore.observe(S, weight, priority, () => waits(-1))
}

const taker = (weight = 1, priority = 0): ThreadSpec => ({
  run: (context) => take(context, start(context), weight, priority),
})
/** Brings permits into the world, then takes one or some of them. */
const maker = (permits: number, weight = 1): ThreadSpec => ({
  run(context) {
    const semaphore = start(context)
    semaphore.release(S, permits)
    take(context, semaphore, weight)
  },
})
const setter = (permits: number): ThreadSpec => ({ run: (context) => start(context).setValue(S, permits) })
const observer = (weight = 1, priority = 0): ThreadSpec => ({
  run: (context) => observe(context, start(context), weight, priority),
})
/** Takes, and keeps it over the event loop. */
const keeper: ThreadSpec = { run: (context) => take(context, start(context), 1, 0, context.later) }
const mortal = (spec: ThreadSpec): ThreadSpec => ({ ...spec, mortal: true })

/** Gives back what one thread has, if nobody has done so; says whether. */
function releaseOnce({ waiting }: ThreadContext, semaphore: Semaphore): boolean {
  if (waiting.queues.memory.compareExchange(WORD, 1, 2) !== 1) return false
  semaphore.release(S, 1)
  return true
}

/** Takes, and releases later, unless another thread does it. */
const absentMinded: ThreadSpec = {
  run(context) {
    const semaphore = start(context)
    context.waits(1)
    semaphore.acquire(S, 1, 0, {
      served() {
        context.waits(-1)
        context.waiting.queues.memory.store(WORD, 1)
        context.later(() => void releaseOnce(context, semaphore))
      },
      canceled() {},
    })
  },
}
/** Makes one permit, and may release for thread 1; says so if that was alive. */
const helper: ThreadSpec = {
  run(context) {
    const semaphore = start(context)
    semaphore.release(S, 1)
    context.maybe(() => {
      if (releaseOnce(context, semaphore) && context.waiting.queues.memory.isAlive(1)) context.count('in time', 1)
    })
  },
}
/** Makes permits, takes one, and looks then whether something is left. */
const suspicious = (permits: number): ThreadSpec => ({
  run(context) {
    const semaphore = start(context)
    if (permits > 0) semaphore.release(S, permits)
    context.waits(1)
    semaphore.acquire(S, 1, 0, {
      served() {
        context.waits(-1)
        context.later(() => {
          context.count('surplus', Math.max(0, semaphore.currentValue(S)))
          semaphore.release(S, 1)
        })
      },
      canceled() {},
    })
  },
})
/** Takes and never gives back. */
const miser: ThreadSpec = {
  run(context) {
    context.waits(1)
    start(context).acquire(S, 1, 0, { served: () => context.waits(-1), canceled() {} })
  },
}
/** Makes a permit, and may look after a death whether it is there. */
const looker: ThreadSpec = {
  run(context) {
    const semaphore = start(context)
    semaphore.setValue(S, 1)
    context.maybe(() => {
      if (context.waiting.queues.memory.deaths() === 1) context.count('lost', 1 - semaphore.currentValue(S))
    })
  },
}

const noSurplus = ({ surplus = 0 }: Readonly<Record<string, number>>) =>
  surplus > 0 ? 'there are more than were made' : undefined

const atMost = (permits: number) => ({
  invariant: ({ inside = 0 }: Readonly<Record<string, number>>) =>
    inside > permits ? `${inside} are inside, of ${permits}` : undefined,
})

/** Small enough to be walked through in a second or so each. */
export const asyncMutexScenarios: Record<string, Scenario> = {
  'two take one': { threads: [maker(1), taker()], ...atMost(1) },
  'three take one': { threads: [maker(1), taker(), taker()], preemptions: 1, ...atMost(1) },
  'three take two': { threads: [maker(2), taker(), taker()], preemptions: 1, ...atMost(2) },
  'one takes two, two take one': { threads: [maker(2, 2), taker(), taker(1, 1)], preemptions: 1, ...atMost(2) },
  'one sets the value, two take': { threads: [setter(1), taker(), taker()], preemptions: 2, ...atMost(1) },
  'one observes, two take': { threads: [observer(), maker(1), taker()], preemptions: 1, ...atMost(1) },
  'one observes before the others, two take': {
    threads: [observer(1, 1), maker(1), taker()],
    preemptions: 1,
    ...atMost(1),
  },
  'one cancels and makes one, two take': {
    threads: [
      {
        run(context) {
          const semaphore = start(context)
          semaphore.cancel(S)
          semaphore.release(S, 1)
        },
      },
      taker(),
      taker(),
    ],
    preemptions: 1,
    ...atMost(1),
  },
  'a mortal and one who takes': { threads: [maker(1), mortal(taker())], deaths: 1, preemptions: 1, ...atMost(1) },
  'a mortal that keeps, and one who takes': {
    threads: [maker(1), mortal(keeper)],
    deaths: 1,
    preemptions: 1,
    ...atMost(1),
  },
  'a mortal who takes two, and one who takes two': {
    threads: [maker(2, 2), mortal(taker(2))],
    deaths: 1,
    preemptions: 1,
    ...atMost(2),
  },
  'a mortal who observes, one who takes': {
    threads: [maker(1), mortal(observer())],
    deaths: 1,
    preemptions: 1,
    ...atMost(1),
  },
  'one sets the value to two, two keep': { threads: [setter(2), miser, miser], preemptions: 2 },
  'a mortal, and one who looks at the value': {
    threads: [looker, mortal(miser)],
    deaths: 1,
    invariant: ({ lost = 0 }) => (lost > 0 ? 'what the dead held has not come back' : undefined),
    preemptions: 2,
  },
  'a mortal, and one who looks whether there is too much': {
    threads: [suspicious(1), mortal(taker())],
    deaths: 1,
    preemptions: 1,
    invariant: noSurplus,
  },
}

/** Larger ones, for the soak tests and the mutants. */
export const longAsyncMutexScenarios: Record<string, Scenario> = {
  'a mortal and two who take': {
    threads: [maker(1), mortal(taker()), taker()],
    deaths: 1,
    preemptions: 0,
    ...atMost(1),
  },
  'a mortal, one who observes, one who takes': {
    threads: [maker(1), mortal(taker()), observer()],
    deaths: 1,
    preemptions: 0,
    ...atMost(1),
  },
  'a mortal for whom another one has released': {
    threads: [mortal(absentMinded), helper, suspicious(0)],
    deaths: 1,
    preemptions: 0,
    invariant: (counters) => (counters['in time'] ? noSurplus(counters) : undefined),
  },
}
