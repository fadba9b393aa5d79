import { DeadlockError } from '@flatshare/core'
import { FIRST_LOCK, type Scenario, SECOND_LOCK } from './explore.js'
import type { ThreadContext, ThreadSpec } from './model.js'

const L = FIRST_LOCK

/** Blocks for the lock, and is inside once. */
function block({ lock, inside }: ThreadContext, address = L, body?: () => void): void {
  const outcome = lock.acquireSync(address)
  inside(address, outcome, body)
  lock.release(address)
}

function blockFor(timeout: number, { lock, inside }: ThreadContext): void {
  try {
    const outcome = lock.acquireSync(L, { timeout })
    inside(L, outcome)
  } catch (error) {
    if (error instanceof DOMException) return
    throw error
  }
  lock.release(L)
}

function blockUnlessDeadlocked(context: ThreadContext, address: number, body?: () => void): void {
  const { lock, inside, deadlocked } = context
  let outcome: ReturnType<typeof lock.acquireSync>
  try {
    outcome = lock.acquireSync(address)
  } catch (error) {
    if (!(error instanceof DeadlockError)) throw error
    deadlocked()
    return
  }
  inside(address, outcome, body)
  lock.release(address)
}

function tryOnce({ lock, inside }: ThreadContext): void {
  const outcome = lock.tryAcquire(L)
  if (outcome === 'held') return
  inside(L, outcome)
  lock.release(L)
}

function awaitOnce(context: ThreadContext): ReturnType<ThreadContext['acquire']> {
  const { lock, inside, acquire } = context
  return acquire(L, (outcome) => {
    inside(L, outcome)
    lock.release(L)
  })
}

/** Holds the lock over a turn of the event loop. */
function awaitAndHold({ lock, inside, acquire, later }: ThreadContext): void {
  acquire(L, (outcome) => {
    inside(L, outcome)
    later(() => lock.release(L))
  })
}

function awaitUnlessAborted(context: ThreadContext): void {
  const waiting = awaitOnce(context)
  context.maybe(() => waiting.giveUp())
}

const blocker: ThreadSpec = { run: block }
const twice: ThreadSpec = {
  run(context) {
    block(context)
    block(context)
  },
}
const impatient: ThreadSpec = { timed: true, run: (context) => blockFor(5, context) }
const trier: ThreadSpec = { run: tryOnce }
const awaiter: ThreadSpec = { run: (context) => void awaitOnce(context) }
const awaiterTwice: ThreadSpec = {
  run(context) {
    awaitOnce(context)
    awaitAndHold(context)
  },
}
const aborted: ThreadSpec = { run: awaitUnlessAborted }
const queueWithAbort: ThreadSpec = {
  timed: true,
  run(context) {
    awaitUnlessAborted(context)
    awaitOnce(context)
  },
}
const spinning = (spec: ThreadSpec): ThreadSpec => ({ ...spec, spins: 1 })
const mortal = (spec: ThreadSpec): ThreadSpec => ({ ...spec, mortal: true })
const nest = (outer: number, inner: number): ThreadSpec => ({
  run: (context) => blockUnlessDeadlocked(context, outer, () => blockUnlessDeadlocked(context, inner)),
})
const oneAfterTheOther = (first: number, second: number): ThreadSpec => ({
  run(context) {
    blockUnlessDeadlocked(context, first)
    blockUnlessDeadlocked(context, second)
  },
})
/** Passes an abandoned lock on without mending it, once. */
const unmending: ThreadSpec = {
  run({ lock, inside }) {
    const outcome = lock.acquireSync(L)
    if (outcome === 'abandoned') lock.releaseUnmended(L)
    else {
      inside(L, outcome)
      lock.release(L)
    }
  },
}
/** Blocks for a second lock while its async waiter sleeps for the first. */
const blockedAwaiter: ThreadSpec = {
  run(context) {
    // With the lock in hand, blocking for what its next holder has would be the program's own deadlock.
    if (!awaitOnce(context).served()) block(context, SECOND_LOCK)
  },
}
/** Awaits the first lock with the second held: whoever blocks for that can't serve its event loop. */
const holdsSecondAwaitsFirst: ThreadSpec = {
  run({ lock, inside, acquire }) {
    const second = lock.acquireSync(SECOND_LOCK)
    inside(SECOND_LOCK, second)
    acquire(L, (outcome) => {
      inside(L, outcome)
      lock.release(L)
      lock.release(SECOND_LOCK)
    })
  },
}

/** Small enough to be walked through in a second or so each. */
export const scenarios: Record<string, Scenario> = {
  'two block, twice each': { threads: [twice, twice], preemptions: 3 },
  'two block, twice each, and look once before they park': {
    threads: [spinning(twice), spinning(twice)],
    preemptions: 3,
  },
  'two look once before they park, one blocks': {
    threads: [spinning(blocker), spinning(blocker), blocker],
    preemptions: 2,
  },
  'a mortal and two who block, all look once before they park': {
    threads: [mortal(spinning(blocker)), spinning(blocker), blocker],
    deaths: 1,
    preemptions: 1,
  },
  'three block': { threads: [blocker, blocker, blocker], preemptions: 2 },
  'two block, one twice, one only tries': { threads: [blocker, twice, trier], preemptions: 2 },
  'one gives up by timeout, two block': { threads: [impatient, blocker, blocker], preemptions: 2 },
  'one gives up by timeout, one blocks, one twice': { threads: [impatient, blocker, twice], preemptions: 1 },
  'two give up by timeout, one blocks': { threads: [impatient, impatient, blocker], preemptions: 2 },
  'two await': { threads: [awaiter, awaiter] },
  'two await twice, holding over the event loop': { threads: [awaiterTwice, awaiterTwice], preemptions: 3 },
  'one awaits, two block': { threads: [awaiter, blocker, blocker], preemptions: 2 },
  'one awaits twice, one blocks': { threads: [awaiterTwice, blocker], preemptions: 5 },
  'one awaits and gives up, one awaits': { threads: [aborted, awaiter] },
  'one gives up in front of its own queue, one blocks': { threads: [queueWithAbort, blocker], preemptions: 4 },
  'one awaits and gives up, two block': { threads: [aborted, blocker, blocker], preemptions: 2 },
  'one awaits and blocks elsewhere, behind one who awaits': {
    threads: [blockedAwaiter, holdsSecondAwaitsFirst, blocker],
    preemptions: 2,
  },
  'a mortal and one who blocks': { threads: [mortal(blocker), blocker], deaths: 1 },
  'a mortal and two who block': { threads: [mortal(blocker), blocker, blocker], deaths: 1, preemptions: 1 },
  'two mortals and one who blocks': { threads: [mortal(blocker), mortal(blocker), blocker], deaths: 2, preemptions: 0 },
  'a mortal and one who awaits': { threads: [mortal(blocker), awaiter], deaths: 1, preemptions: 4 },
  'a mortal, one who awaits, one who blocks': {
    threads: [mortal(blocker), awaiter, blocker],
    deaths: 1,
    preemptions: 1,
  },
  'a mortal who awaits, one who awaits, one who blocks': {
    threads: [mortal(awaiter), awaiter, blocker],
    deaths: 1,
    preemptions: 1,
  },
  'a mortal, one who does not mend, one who does': {
    threads: [mortal(blocker), unmending, blocker],
    deaths: 1,
    preemptions: 1,
  },
  'two threads, two locks, in opposite order, one without nesting': {
    threads: [nest(L, SECOND_LOCK), oneAfterTheOther(SECOND_LOCK, L)],
    preemptions: 4,
  },
  'two threads, two locks, in opposite order': {
    threads: [nest(L, SECOND_LOCK), nest(SECOND_LOCK, L)],
    preemptions: 3,
  },
  'two in opposite order, one waits upon them': {
    threads: [nest(L, SECOND_LOCK), nest(SECOND_LOCK, L), { run: (context) => blockUnlessDeadlocked(context, L) }],
    preemptions: 2,
  },
}
