import { makeBarrier, Passage } from '../../dist/barrier-core.js'
import { makeLatch } from '../../dist/latch-core.js'
import type { Scenario } from './explore.js'
import type { Words } from './initial-words.js'
import type { ThreadContext, ThreadSpec } from './model.js'

type Barrier = ReturnType<typeof makeBarrier>
type Counters = Readonly<Record<string, number>>

/** What the scenarios run; tests put a broken one in its place. */
export const subject = { makeBarrier }

const B = 64
/** A latch that those count down who are no longer to be waited for. */
const L = 80
const options = { what: () => 'barrier', instead: 'await it' }

function came({ count }: ThreadContext): void {
  count('came', 1)
}

function ended({ count }: ThreadContext, { passage, generation }: ReturnType<Barrier['waitSync']>): void {
  if (passage === Passage.broken) {
    count(`broken ${generation}`, 1)
    return
  }
  count('passed', 1)
  count(`passed ${generation}`, 1)
  if (passage === Passage.leader) count(`leaders ${generation}`, 1)
}

function blocker(times = 1): ThreadSpec {
  return {
    run(context) {
      const barrier = subject.makeBarrier(context.waiting)
      for (let i = 0; i < times; i++) {
        came(context)
        ended(context, barrier.waitSync(B, options))
      }
    },
  }
}

/** Gives up once, then comes again. */
const impatient: ThreadSpec = {
  timed: true,
  run(context) {
    const barrier = subject.makeBarrier(context.waiting)
    came(context)
    try {
      ended(context, barrier.waitSync(B, { ...options, timeout: 5 }))
    } catch (error) {
      if (!(error instanceof DOMException)) throw error
      context.count('came', -1)
      came(context)
      ended(context, barrier.waitSync(B, options))
    }
  },
}

/** Arrives without blocking; gives the function that takes the arrival back. */
function arrive(context: ThreadContext, barrier: Barrier, then = () => {}): () => boolean {
  let waits = true
  const stop = () => {
    waits = false
    context.waits(-1)
  }
  context.waits(1)
  came(context)
  const node = barrier.enqueue(B, {
    granted(end) {
      stop()
      context.soon(() => {
        ended(context, end)
        then()
      })
    },
  })
  return () => {
    if (!waits || !barrier.withdraw(node)) return false
    stop()
    context.count('came', -1)
    return true
  }
}

function awaiter(times = 1): ThreadSpec {
  return {
    run(context) {
      const barrier = subject.makeBarrier(context.waiting)
      for (let i = 0; i < times; i++) arrive(context, barrier)
    },
  }
}

const awaitsAndBlocks: ThreadSpec = {
  run(context) {
    const barrier = subject.makeBarrier(context.waiting)
    arrive(context, barrier)
    came(context)
    ended(context, barrier.waitSync(B, options))
  },
}

const aborted: ThreadSpec = {
  run(context) {
    const barrier = subject.makeBarrier(context.waiting)
    const takeBack = arrive(context, barrier)
    context.maybe(() => {
      if (takeBack()) arrive(context, barrier)
    })
  },
}

/** Looks how many have arrived. */
const looker: ThreadSpec = {
  run({ waiting }) {
    const arrived = subject.makeBarrier(waiting).arrived(B)
    if (arrived > 1) throw new Error(`${arrived} have arrived at a barrier for two.`)
  },
}

/** Waits so often for the one who may die, and says when it doesn't any more. */
function survivor(arrivals: number, blocks = false): ThreadSpec {
  return {
    run(context) {
      const barrier = subject.makeBarrier(context.waiting)
      const done = makeLatch(context.waiting)
      const then = () => void done.countDown(L, 1)
      if (blocks) {
        came(context)
        ended(context, barrier.waitSync(B, options))
        then()
      } else for (let i = 0; i < arrivals; i++) arrive(context, barrier, then)
    },
  }
}

/** After a death: notes whether others waited with the dead, and comes instead while somebody waits. */
function executor(arrivals: number): ThreadSpec {
  return {
    run(context) {
      const { waiting, count } = context
      const barrier = subject.makeBarrier(waiting)
      const done = makeLatch(waiting)
      waiting.queues.memory.onExit(() => {
        const broken = brokenGeneration(waiting)
        if (broken >= 0) count(`to be told ${broken}`, 1)
        let over = false
        const places = Array.from({ length: arrivals }, () => stay(context, barrier, () => over))
        context.waits(1)
        done.enqueue(L, {
          granted() {
            context.waits(-1)
            context.soon(() => {
              over = true
              for (const takeBack of places) takeBack()
            })
          },
        })
      })
    },
  }
}

/** Arrives, and again whenever it has passed; gives the function that ends that. */
function stay(context: ThreadContext, barrier: Barrier, isOver: () => boolean): () => void {
  let takeBack = () => false
  const again = () => {
    if (!isOver()) takeBack = arrive(context, barrier, again)
  }
  again()
  return () => void takeBack()
}

/** The present generation, if a dead one waits in it and others do; else −1. */
function brokenGeneration({ queues, enter, leave }: ThreadContext['waiting']): number {
  let dead = false
  let living = false
  enter(B)
  const present = queues.memory.load(B + 4) >>> 1
  for (let node = queues.first(B); node !== 0; node = queues.after(node)) {
    if (queues.asks(node) !== present) continue
    if (queues.isLiving(node)) living = true
    else dead = true
  }
  leave()
  return dead && living ? present : -1
}

const mortal = (spec: ThreadSpec): ThreadSpec => ({ ...spec, mortal: true })

interface BarrierScenario extends Scenario {
  /** The memory's first words. */
  readonly words: Words
}

/** So many generations pass, each with one leader, and nobody before all have come. */
const pass = (parties: number, generations: number) => ({
  words: { [B]: parties },
  invariant: noneTooEarly(parties),
  finally: (counters: Counters) => {
    for (let g = 0; g < generations; g++) {
      if (counters[`passed ${g}`] === parties && counters[`leaders ${g}`] === 1) continue
      return `in the end ${JSON.stringify(counters)}`
    }
    return counters['passed'] === parties * generations ? undefined : 'too many have passed'
  },
})

function noneTooEarly(parties: number) {
  return ({ came = 0, ...counters }: Counters) => {
    for (let g = 0; counters[`passed ${g}`]; g++) {
      if (came < parties * (g + 1)) return `somebody passed in generation ${g} when ${came} had come`
    }
    return undefined
  }
}

/** Of those that wait together, all pass or all are told of a death; who must be told is. */
const alike = (parties: number, survivors: number) => ({
  words: { [B]: parties, [L]: survivors },
  finally: (counters: Counters) => {
    for (let g = 0; g < 3; g++) {
      const [passed = 0, leaders = 0, broken = 0, told = 0] = ['passed', 'leaders', 'broken', 'to be told'].map(
        (what) => counters[`${what} ${g}`],
      )
      if (leaders <= 1 && !(passed > 0 && broken > 0) && !(told > 0 && broken === 0)) continue
      return `in the end ${JSON.stringify(counters)}`
    }
    return undefined
  },
})

export const barrierScenarios: Record<string, BarrierScenario> = {
  'two block, twice each': { threads: [blocker(2), blocker(2)], ...pass(2, 2), preemptions: 3 },
  'three block': { threads: [blocker(), blocker(), blocker()], ...pass(3, 1), preemptions: 1 },
  'three block, one looks': { threads: [blocker(), blocker(), looker], ...pass(2, 1), preemptions: 2 },
  'two await': { threads: [awaiter(), awaiter()], ...pass(2, 1) },
  'two await, twice each': { threads: [awaiter(2), awaiter(2)], ...pass(2, 2), preemptions: 3 },
  'one awaits for two, one blocks': { threads: [awaiter(2), blocker()], ...pass(3, 1), preemptions: 4 },
  'one awaits and blocks, one blocks': { threads: [awaitsAndBlocks, blocker()], ...pass(3, 1), preemptions: 4 },
  'one awaits twice, two block, at a barrier for two': {
    threads: [awaiter(2), blocker(), blocker()],
    ...pass(2, 2),
    preemptions: 1,
  },
  'one gives up and comes again, one blocks': { threads: [impatient, blocker()], ...pass(2, 1), preemptions: 4 },
  'one gives up and comes again, two block': {
    threads: [impatient, blocker(), blocker()],
    ...pass(3, 1),
    preemptions: 1,
  },
  'one is aborted and comes again, one blocks': { threads: [aborted, blocker()], ...pass(2, 1), preemptions: 3 },
  'a mortal blocks, one blocks': {
    threads: [mortal(blocker()), survivor(1, true), executor(1)],
    ...alike(2, 1),
    deaths: 1,
    preemptions: 0,
  },
  'a mortal awaits, one blocks': {
    threads: [mortal(awaiter()), survivor(1, true), executor(1)],
    ...alike(2, 1),
    deaths: 1,
    preemptions: 0,
  },
  'a mortal blocks, one awaits': {
    threads: [mortal(blocker()), survivor(1), executor(1)],
    ...alike(2, 1),
    deaths: 1,
    preemptions: 0,
  },
  'a mortal blocks, one awaits twice': {
    threads: [mortal(blocker()), survivor(2), executor(2)],
    ...alike(3, 2),
    deaths: 1,
    preemptions: 0,
  },
}
