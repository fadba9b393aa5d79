import { DeadlockError } from '@flatshare/core'
import { makeCondition } from '../../dist/condition-core.js'
import type { Outcome } from '../../dist/lock.js'
import { FIRST_LOCK, type Scenario, SECOND_LOCK } from './explore.js'
import { Layout, type ThreadContext, type ThreadSpec } from './model.js'

type Condition = ReturnType<typeof makeCondition>

/** What the scenarios run; tests put a broken one in its place. */
export const subject = { makeCondition }

const M = FIRST_LOCK
const C = 64
/** A second condition. */
const NOT_FULL = 76
/** How many items there are: the mutex guards it. */
const ITEMS = 88

const OWNER = 0x3fffffff

function begin({ waiting, lock }: ThreadContext): Condition {
  return subject.makeCondition(waiting, lock)
}

function items({ waiting }: ThreadContext): number {
  return waiting.queues.memory.load(ITEMS)
}

function setItems({ waiting }: ThreadContext, count: number): void {
  waiting.queues.memory.store(ITEMS, count)
}

/** Waits, blocking; the mutex is held. Gives how it came back, and whether the wait timed out. */
function waitOnce(
  { count }: ThreadContext,
  condition: Condition,
  address = C,
  timeout?: number,
): { outcome: Outcome; late: boolean } {
  let outcome: Outcome | undefined
  let late = false
  count('waiting', 1)
  try {
    condition.waitSync(address, {
      timeout,
      what: () => 'condition',
      mutex: M,
      mutexName: () => 'mutex',
      relocked: (how) => (outcome = how),
    })
  } catch (error) {
    if (!(error instanceof DOMException)) throw error
    late = true
  }
  count('waiting', -1)
  if (!late) count('woken', 1)
  if (outcome === undefined) throw new Error('The wait has ended without the mutex.')
  return { outcome, late }
}

/** Takes an item when there is one. */
function take(context: ThreadContext, condition: Condition, notifies = false): void {
  const { lock, inside, count } = context
  let outcome = lock.acquireSync(M)
  for (let woken = false; ; woken = true) {
    let done = false
    inside(M, outcome, () => {
      done = items(context) > 0
      if (done) setItems(context, items(context) - 1)
      else if (woken) count('woken for nothing', 1)
    })
    if (done) break
    outcome = waitOnce(context, condition).outcome
  }
  lock.release(M)
  count('taken', 1)
  if (notifies) condition.notify(NOT_FULL, 1)
}

function taker(times = 1): ThreadSpec {
  return {
    run(context) {
      const condition = begin(context)
      for (let i = 0; i < times; i++) take(context, condition)
    },
  }
}

/** Takes an item, or gives up: at once if the mutex is held, else by timeout. */
const impatient: ThreadSpec = {
  timed: true,
  run(context) {
    const { lock, inside, count } = context
    const condition = begin(context)
    const first = lock.tryAcquire(M)
    if (first === 'held') return
    let done = false
    const attempt = () => {
      done = items(context) > 0
      if (done) setItems(context, items(context) - 1)
    }
    inside(M, first, attempt)
    if (!done) {
      const { outcome, late } = waitOnce(context, condition, C, 5)
      inside(M, outcome, attempt)
      if (!late && !done) count('woken for nothing', 1)
    }
    lock.release(M)
  },
}

/** Takes an item without blocking the thread. */
function takeAsync(context: ThreadContext, condition: Condition, mayGiveUp = false): void {
  const { lock, inside, acquire, count, waits, maybe, soon } = context
  const attempt = (outcome: Outcome, ended?: 'notified' | 'gave up') => {
    let done = false
    inside(M, outcome, () => {
      done = items(context) > 0
      if (done) setItems(context, items(context) - 1)
    })
    if (done || ended) {
      if (ended === 'notified' && !done) count('woken for nothing', 1)
      lock.release(M)
      return
    }
    let settled = false
    const settle = () => {
      settled = true
      waits(-1)
      count('waiting', -1)
    }
    waits(1)
    count('waiting', 1)
    const { token, node } = condition.enqueue(C, M, {
      granted() {
        settle()
        soon(() =>
          acquire(M, (outcome) => {
            condition.retire(C, token)
            count('woken', 1)
            attempt(outcome, 'notified')
          }),
        )
      },
    })
    if (!mayGiveUp) return
    maybe(() => {
      if (settled || !context.waiting.withdraw(node)) return
      settle()
      const gaveUp = condition.withdraw(C, token)
      acquire(M, (outcome) => {
        if (!gaveUp) {
          condition.retire(C, token)
          count('woken', 1)
        }
        attempt(outcome, gaveUp ? 'gave up' : 'notified')
      })
    })
  }
  acquire(M, attempt)
}

const awaiter: ThreadSpec = { run: (context) => takeAsync(context, begin(context)) }
const aborted: ThreadSpec = { run: (context) => takeAsync(context, begin(context), true) }

function notify({ count }: ThreadContext, condition: Condition, most = 1): void {
  count('notified', condition.notify(C, most))
}

function put(context: ThreadContext, count: number): void {
  const { lock, inside } = context
  const outcome = lock.acquireSync(M)
  inside(M, outcome, () => setItems(context, items(context) + count))
}

/** Puts items one by one, and notifies one for each: with the mutex released, or held. */
function putter(times: number, held = false): ThreadSpec {
  return {
    run(context) {
      const condition = begin(context)
      for (let i = 0; i < times; i++) {
        put(context, 1)
        if (held) notify(context, condition)
        context.lock.release(M)
        if (!held) notify(context, condition)
      }
    },
  }
}

/** Puts items at once, and notifies all. */
function putterForAll(count: number, most = Infinity): ThreadSpec {
  return {
    run(context) {
      const condition = begin(context)
      put(context, count)
      context.lock.release(M)
      notify(context, condition, most)
    },
  }
}

/** A buffer of one. */
const producer: ThreadSpec = {
  run(context) {
    const { lock, inside } = context
    const condition = begin(context)
    for (let i = 0; i < 2; i++) {
      let outcome = lock.acquireSync(M)
      for (;;) {
        let done = false
        inside(M, outcome, () => {
          done = items(context) === 0
          if (done) setItems(context, 1)
        })
        if (done) break
        outcome = waitOnce(context, condition, NOT_FULL).outcome
      }
      lock.release(M)
      condition.notify(C, 1)
    }
  },
}

const consumer: ThreadSpec = {
  run(context) {
    const condition = begin(context)
    for (let i = 0; i < 2; i++) take(context, condition, true)
  },
}

/** Awaits the mutex, then waits for an item, blocking: it mustn't get the mutex for its own waiter, which can't run. */
const awaitsAndBlocks: ThreadSpec = {
  run(context) {
    const { lock, inside, acquire } = context
    const condition = begin(context)
    const first = lock.acquireSync(M)
    acquire(M, (outcome) => {
      inside(M, outcome)
      lock.release(M)
    })
    inside(M, first)
    while (items(context) === 0) waitOnce(context, condition)
    setItems(context, items(context) - 1)
    lock.release(M)
  },
}

const locker: ThreadSpec = {
  run({ lock, inside }) {
    inside(M, lock.acquireSync(M))
    lock.release(M)
  },
}

const mortal = (spec: ThreadSpec): ThreadSpec => ({ ...spec, mortal: true })

/** Nobody sleeps while there is an item, except with the mutex of a dead thread. */
const nothingLeft: Pick<Scenario, 'finally' | 'mayWait'> = {
  mayWait: true,
  finally({ waiting = 0 }, load) {
    if (load(C) !== 0) return 'a notification is left over'
    if ((load(M) & OWNER) !== 0) return undefined
    return load(ITEMS) > 0 && waiting > 0 ? 'one sleeps, and there is an item' : undefined
  },
}

/** Nobody is woken when there is nothing to be had, and each that was notified has gone on. */
const exact: Pick<Scenario, 'invariant' | 'finally'> = {
  invariant: (counters) => ((counters['woken for nothing'] ?? 0) > 0 ? 'one was woken for nothing' : undefined),
  finally({ notified = 0, woken = 0 }, load) {
    if (load(C) !== 0 || load(Layout.queue + 4) !== 0) return 'something is left over'
    return notified === woken ? undefined : `${notified} were notified, and ${woken} woken`
  },
}

/** Waits with another lock held. */
const waitsWithLock: ThreadSpec = {
  run(context) {
    const { lock, count, deadlocked } = context
    const condition = begin(context)
    lock.acquireSync(SECOND_LOCK)
    let isHeld = false
    try {
      lock.acquireSync(M)
      isHeld = true
      while (items(context) === 0) waitOnce(context, condition)
    } catch (error) {
      if (!(error instanceof DeadlockError)) throw error
      deadlocked()
      if (isHeld) count('refused in a wait', 1)
      isHeld = false
    }
    if (isHeld) lock.release(M)
    lock.release(SECOND_LOCK)
  },
}

/** Notifies, and wants the other lock while it holds the mutex. */
const notifiesAndWantsLock: ThreadSpec = {
  run(context) {
    const { lock, deadlocked } = context
    const condition = begin(context)
    put(context, 1)
    condition.notify(C, 1)
    try {
      lock.acquireSync(SECOND_LOCK)
      lock.release(SECOND_LOCK)
    } catch (error) {
      if (!(error instanceof DeadlockError)) throw error
      deadlocked()
    }
    lock.release(M)
  },
}

/** Small enough to be walked through in a second or so each. */
export const conditionScenarios: Record<string, Scenario> = {
  'one waits, one notifies': { threads: [taker(), putter(1)], preemptions: 4, ...exact },
  'one waits, one notifies with the mutex held': { threads: [taker(), putter(1, true)], preemptions: 3, ...exact },
  'one waits twice, one notifies twice': { threads: [taker(2), putter(2)], preemptions: 2 },
  'two wait, one notifies twice': { threads: [taker(), taker(), putter(2)], preemptions: 1 },
  'two wait, one notifies all': { threads: [taker(), taker(), putterForAll(2)], preemptions: 1, ...exact },
  'two wait, one notifies one': {
    threads: [taker(), taker(), putterForAll(1, 1)],
    preemptions: 1,
    ...nothingLeft,
    invariant: ({ notified = 0, woken = 0 }) => (notified > 1 || woken > 1 ? 'two were notified' : undefined),
  },
  'a buffer of one': { threads: [producer, consumer], preemptions: 1 },
  'one gives up by timeout, one notifies': { threads: [impatient, putter(1)], preemptions: 2, ...exact },
  'one gives up by timeout, one waits, one notifies one': {
    threads: [impatient, taker(), putter(1)],
    preemptions: 1,
    ...nothingLeft,
  },
  'one gives up by timeout, one waits, one notifies all': {
    threads: [impatient, taker(), putterForAll(2)],
    preemptions: 1,
    ...exact,
  },
  'one awaits, one notifies': { threads: [awaiter, putter(1)], preemptions: 4, ...exact },
  'two await, one notifies all': { threads: [awaiter, awaiter, putterForAll(2)], preemptions: 1, ...exact },
  'one awaits, one waits, one notifies all': { threads: [awaiter, taker(), putterForAll(2)], preemptions: 1, ...exact },
  'one awaits and gives up, one notifies': { threads: [aborted, putter(1)], preemptions: 3, ...exact },
  'one awaits and gives up, one waits, one notifies one': {
    threads: [aborted, taker(), putter(1)],
    preemptions: 0,
    ...nothingLeft,
  },
  'one waits with a lock, one notifies and wants that': {
    threads: [waitsWithLock, notifiesAndWantsLock],
    preemptions: 2,
  },
  'one awaits the mutex and waits, one notifies': { threads: [awaitsAndBlocks, putter(1)], preemptions: 2 },
  'a mortal waits, one waits, one notifies one': {
    threads: [mortal(taker()), taker(), putter(1)],
    deaths: 1,
    preemptions: 0,
    ...nothingLeft,
  },
  'a mortal waits, one waits, one notifies all': {
    threads: [mortal(taker()), taker(), putterForAll(2)],
    deaths: 1,
    preemptions: 0,
    finally: (_, load) => (load(C) === 0 ? undefined : 'a notification is left over'),
  },
  'a mortal awaits, one waits, one notifies one': {
    threads: [mortal(awaiter), taker(), putter(1)],
    deaths: 1,
    preemptions: 0,
    ...nothingLeft,
  },
}

/** Others, which take longer. */
export const longConditionScenarios: Record<string, Scenario> = {
  'one awaits the mutex and waits, one notifies, one locks': {
    threads: [awaitsAndBlocks, putter(1), locker],
    preemptions: 2,
  },
}
