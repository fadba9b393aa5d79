import { DeadlockError } from '@flatshare/core'
import { makeOnce, Turn } from '../../dist/once-core.js'
import type { Scenario } from './explore.js'
import type { ThreadContext, ThreadSpec } from './model.js'

type Once = ReturnType<typeof makeOnce>

/** What the scenarios run; tests put a broken one in its place. */
export const subject = { makeOnce }

const O = 64
const P = 80
const VALUE = 7

/** What a thread does with its turn; `body` is its function. */
function act(context: ThreadContext, once: Once, address: number, turn: Turn, body?: () => void): void {
  if (turn === Turn.finished) {
    arrived(context, once, address)
    return
  }
  begin(context, turn)
  body?.()
  end(context, once, address)
}

function begin({ count }: ThreadContext, turn: Turn): void {
  count('running', 1)
  if (turn === Turn.runAbandoned) count('abandoned', 1)
}

function end(context: ThreadContext, once: Once, address: number): void {
  once.finish(address, VALUE, true)
  context.count('finished', 1)
  context.count('running', -1)
  arrived(context, once, address)
}

function arrived({ count }: ThreadContext, once: Once, address: number): void {
  const outcome = once.outcomeOf(address)
  if (!outcome?.succeeded || outcome.value !== VALUE) throw new Error('The turn says finished, and there is no result.')
  count('arrived', 1)
}

function start(context: ThreadContext): Once {
  const once = subject.makeOnce(context.waiting)
  context.count('came', 1)
  return once
}

const options = { what: () => 'once', instead: 'await it' }

function block(context: ThreadContext): void {
  const once = start(context)
  act(context, once, O, once.startSync(O, options))
}

function blockFor(timeout: number, context: ThreadContext): void {
  const once = start(context)
  let turn: Turn
  try {
    turn = once.startSync(O, { ...options, timeout })
  } catch (error) {
    if (!(error instanceof DOMException)) throw error
    context.count('came', -1)
    return
  }
  act(context, once, O, turn)
}

/** Runs the second inside of the first, or says that it was told of a deadlock. */
function nest(outer: number, inner: number): ThreadSpec {
  return {
    run(context) {
      const once = start(context)
      act(context, once, outer, once.startSync(outer, options), () => {
        context.count('came', 1)
        let turn: Turn
        try {
          turn = once.startSync(inner, options)
        } catch (error) {
          if (!(error instanceof DeadlockError)) throw error
          context.deadlocked()
          context.count('came', -1)
          return
        }
        act(context, once, inner, turn)
      })
    },
  }
}

/** Awaits its turn, and runs over a turn of the event loop. */
function wait(context: ThreadContext, { mayAbort = false } = {}): void {
  const once = start(context)
  const { waits, soon, later, maybe, count } = context
  const proceed = (turn: Turn) => {
    if (turn === Turn.finished) arrived(context, once, O)
    else {
      begin(context, turn)
      later(() => end(context, once, O))
    }
  }
  const turn = once.tryStart(O)
  if (turn !== Turn.wait) {
    proceed(turn)
    return
  }
  waits(1)
  const node = once.enqueue(O, {
    granted(result) {
      waits(-1)
      soon(() => proceed(result as Turn))
    },
  })
  if (!mayAbort) return
  maybe(() => {
    if (!once.withdraw(node)) return
    waits(-1)
    count('came', -1)
  })
}

const blocker: ThreadSpec = { run: block }
const awaiter: ThreadSpec = { run: (context) => wait(context) }
const aborted: ThreadSpec = { run: (context) => wait(context, { mayAbort: true }) }
const impatient: ThreadSpec = { timed: true, run: (context) => blockFor(5, context) }
const twoAwaits: ThreadSpec = {
  run(context) {
    wait(context)
    wait(context)
  },
}
/** Looks without any guard, and reads what it finds. */
const looker: ThreadSpec = {
  run(context) {
    const once = start(context)
    if (once.outcomeOf(O)) arrived(context, once, O)
    else context.count('came', -1)
  },
}
const mortal = (spec: ThreadSpec): ThreadSpec => ({ ...spec, mortal: true })

/** One runs, and all who came and live have what became of it. */
const oneRuns: Pick<Scenario, 'invariant' | 'finally'> = {
  invariant: ({ running = 0 }) => (running > 1 ? 'two run' : undefined),
  finally: ({ came = 0, arrived: done = 0 }) => (came === done ? undefined : `of ${came} only ${done} have the result`),
}

const onceOnly: Scenario['invariant'] = (counters) => {
  if ((counters['finished'] ?? 0) > 1) return 'two have run'
  if ((counters['abandoned'] ?? 0) > 0) return 'it was abandoned by nobody'
  return oneRuns.invariant!(counters)
}

const living = (scenario: Omit<Scenario, 'invariant' | 'finally'>): Scenario => ({
  ...oneRuns,
  invariant: onceOnly,
  ...scenario,
})
const dying = (scenario: Omit<Scenario, 'invariant' | 'finally'>): Scenario => ({ ...oneRuns, ...scenario })

export const onceScenarios: Record<string, Scenario> = {
  'two block': living({ threads: [blocker, blocker] }),
  'three block': living({ threads: [blocker, blocker, blocker], preemptions: 2 }),
  'one blocks, one only looks': living({ threads: [blocker, looker] }),
  'two await': living({ threads: [awaiter, awaiter] }),
  'one awaits twice, one blocks': living({ threads: [twoAwaits, blocker], preemptions: 4 }),
  'one awaits, two block': living({ threads: [awaiter, blocker, blocker], preemptions: 1 }),
  'one awaits and may give up, one awaits': living({ threads: [aborted, awaiter] }),
  'one gives up by timeout, one blocks, one awaits': living({ threads: [impatient, blocker, awaiter], preemptions: 1 }),
  'a mortal and one who blocks': dying({ threads: [mortal(blocker), blocker], deaths: 1, preemptions: 2 }),
  'a mortal and two who block': dying({ threads: [mortal(blocker), blocker, blocker], deaths: 1, preemptions: 0 }),
  'a mortal and one who awaits': dying({ threads: [mortal(blocker), awaiter], deaths: 1, preemptions: 2 }),
  'a mortal who awaits, one who awaits': dying({ threads: [mortal(awaiter), awaiter], deaths: 1, preemptions: 2 }),
  'a mortal who awaits, one who awaits, one who blocks': dying({
    threads: [mortal(awaiter), awaiter, blocker],
    deaths: 1,
    preemptions: 0,
  }),
  'two that run each other inside': {
    threads: [nest(O, P), nest(P, O)],
    preemptions: 3,
    finally: oneRuns.finally!,
  },
}

/** Takes some seconds. */
export const longScenarios: Record<string, Scenario> = {
  'a mortal and two who block, interrupted': dying({
    threads: [mortal(blocker), blocker, blocker],
    deaths: 1,
    preemptions: 1,
  }),
  'two mortals and one who blocks': dying({
    threads: [mortal(blocker), mortal(blocker), blocker],
    deaths: 2,
    preemptions: 0,
  }),
  'two mortals, who block and await, and one who awaits': dying({
    threads: [mortal(blocker), mortal(awaiter), awaiter],
    deaths: 2,
    preemptions: 0,
  }),
}
