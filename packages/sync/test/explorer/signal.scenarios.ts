import { AUTOMATIC, SET } from '../../dist/signal-core.js'
import type { Scenario } from './explore.js'
import type { Words } from './initial-words.js'
import {
  aborted,
  awaiter,
  awaitsAndBlocks,
  awaitsAndBlocksForT,
  behindTwo,
  blocker,
  executor,
  executorOfTwo,
  go,
  greedy,
  heir,
  hold,
  impatient,
  mortal,
  pingPong,
  pulser,
  reset,
  resetter,
  S,
  setAgain,
  setter,
  successor,
  T,
  trier,
  waitForT,
  waitsAndSays,
} from './signal.threads.js'

type Counters = Readonly<Record<string, number>>

interface SignalScenario extends Scenario {
  readonly words: Words
}

const went = (n: number) => ({
  finally: (counters: Counters) =>
    (counters['went'] ?? 0) === n ? undefined : `in the end ${JSON.stringify(counters)}`,
})
const takenAtMost = (n: number, { taken = 0 }: Counters) =>
  taken > n ? `${taken} were let go at once, by ${n} sets` : undefined

/** Automatic, set at first, and handed on. */
const lock = { words: { [S]: AUTOMATIC | SET }, invariant: (counters: Counters) => takenAtMost(1, counters) }
const automatic = { words: { [S]: AUTOMATIC, [T]: AUTOMATIC } }
/** Automatic, with an executor that counts how often it sets. */
const inherited = {
  ...automatic,
  invariant: (counters: Counters) => takenAtMost(counters['set'] ?? 0, counters),
  deaths: 1,
}
/** Automatic, with an heir. */
const left = {
  ...automatic,
  finally: ({ lost = 0, doubled = 0 }: Counters) =>
    lost + doubled > 0 ? `lost ${lost}, doubled ${doubled}` : undefined,
  deaths: 1,
}
const manual = { words: { [S]: 0, [T]: AUTOMATIC } }

export const signalScenarios: Record<string, SignalScenario> = {
  'two block for an automatic one, twice each': {
    threads: [blocker(hold, 2), blocker(hold, 2)],
    ...lock,
    ...went(4),
    preemptions: 3,
  },
  'three block for an automatic one': {
    threads: [blocker(hold), blocker(hold), blocker(hold)],
    ...lock,
    ...went(3),
    preemptions: 2,
  },
  'two block for an automatic one, one only tries': {
    threads: [blocker(hold), blocker(hold), trier],
    ...lock,
    preemptions: 2,
  },
  'two answer each other': {
    threads: [pingPong(S, T, true, 2), pingPong(T, S, false, 2)],
    ...automatic,
    preemptions: 3,
  },
  'one gives up an automatic one by timeout, two block': {
    threads: [impatient(hold), blocker(hold), blocker(hold)],
    ...lock,
    preemptions: 1,
  },
  'two await an automatic one, twice each': {
    threads: [awaiter(hold, 2), awaiter(hold, 2)],
    ...lock,
    ...went(4),
    preemptions: 2,
  },
  'one awaits an automatic one twice, one blocks': {
    threads: [awaiter(hold, 2), blocker(hold)],
    ...lock,
    ...went(3),
    preemptions: 2,
  },
  'one awaits an automatic one and gives up, one awaits': {
    threads: [aborted(hold), awaiter(hold)],
    ...lock,
    preemptions: 4,
  },
  'one awaits an automatic one and gives up, two block': {
    threads: [aborted(hold), blocker(hold), blocker(hold)],
    ...lock,
    preemptions: 1,
  },
  'one awaits an automatic one and blocks for it, one blocks': {
    threads: [awaitsAndBlocks, blocker(hold)],
    ...lock,
    preemptions: 3,
  },
  'one awaits an automatic one twice and blocks for it, one sets it three times': {
    threads: [waitsAndSays(go, true), setter(waitForT, 3)],
    ...automatic,
    ...went(3),
    preemptions: 2,
  },
  'one sets a manual one, two block': {
    threads: [setter(), blocker(go), blocker(go)],
    ...manual,
    ...went(2),
    preemptions: 2,
  },
  'two await a manual one, which is set and reset at once': {
    threads: [waitsAndSays(go), pulser],
    ...manual,
    ...went(2),
    preemptions: 3,
  },
  'one resets a manual one and sets it, one sets it, one blocks': {
    threads: [setter(reset), setter(), blocker(go)],
    ...manual,
    ...went(1),
    preemptions: 2,
  },
  'one gives up a manual one, one awaits, one sets': {
    threads: [aborted(go), awaiter(go), setter()],
    ...manual,
    preemptions: 2,
  },
  'a mortal blocks for an automatic one, one sets it': {
    threads: [mortal(blocker(hold)), heir(1)],
    ...left,
    preemptions: 3,
  },
  'a mortal awaits an automatic one, one sets it': {
    threads: [mortal(awaiter(hold)), heir(1)],
    ...left,
    preemptions: 3,
  },
  'a mortal awaits an automatic one and blocks for it, one sets it': {
    threads: [mortal(awaitsAndBlocks), heir(2)],
    ...left,
    preemptions: 1,
  },
  'a mortal awaits an automatic one and blocks for another, one sets both': {
    threads: [mortal(awaitsAndBlocksForT), heir(1)],
    ...left,
    preemptions: 1,
  },
  'a mortal blocks for an automatic one, one blocks': {
    threads: [mortal(blocker(hold)), greedy, executor],
    ...inherited,
    preemptions: 0,
  },
  'a mortal awaits an automatic one, one blocks': {
    threads: [mortal(awaiter(hold)), greedy, executor],
    ...inherited,
    preemptions: 0,
  },
  'a mortal awaits an automatic one twice, one awaits it twice': {
    threads: [mortal(waitsAndSays(setAgain)), behindTwo, executorOfTwo],
    ...automatic,
    ...went(2),
    deaths: 1,
    preemptions: 0,
  },
  'a mortal sets an automatic one, one blocks': {
    threads: [mortal(setter()), blocker(go), successor],
    ...automatic,
    ...went(1),
    deaths: 1,
    preemptions: 1,
  },
  'a mortal sets a manual one, which is reset, two await': {
    threads: [waitsAndSays(go), mortal(setter(waitForT)), resetter],
    ...manual,
    ...went(2),
    deaths: 1,
    preemptions: 0,
  },
}
