import type { Scenario } from '../../../sync/dist-test/explorer/explore.js'
import { beginWith } from '../../../sync/dist-test/explorer/initial-words.js'
import type { ThreadContext, ThreadSpec } from '../../../sync/dist-test/explorer/model.js'
import {
  CAPACITY,
  CELL_BYTES,
  HEAD,
  makeQueue,
  PUT,
  type Request,
  RING,
  type Side,
  TAIL,
  TAKE,
} from '../../dist/containers/queue-core.js'

/** What the scenarios run; tests put a broken one in its place. */
export const subject = { makeQueue }

const Q = 52
const CELLS = 28
/** Of a lock that the second thread of a scenario holds from the start. */
const L = 8
/** 1 once somebody is in line. */
const IN_LINE = 88

/** A queue of so many cells, and the lock. */
export const emptyQueue = (capacity: number) =>
  beginWith({ [Q + RING]: CELLS, [Q + CAPACITY]: capacity, [Q + CELL_BYTES]: 4, [L]: 2 })

export interface QueueScenario extends Scenario {
  readonly capacity: number
}

const section = { enter() {}, leave() {} }

/** A queue as one thread has it. An element is a number: ten for each producer, counted up by it. */
function attach(context: ThreadContext) {
  const { memory } = context.waiting.queues
  const queue = subject.makeQueue(context.waiting, section)
  let last: Record<number, number> = {}

  function request(side: Side, element = 0): Request & { element: number } {
    return {
      side,
      owns: true,
      outcome: undefined,
      element,
      move(cell) {
        if (side === PUT) memory.set(cell, this.element)
        else {
          this.element = memory.get(cell)
          memory.set(cell, 0)
        }
      },
    }
  }

  /** Counts what became of a request. */
  function done({ side, element, outcome }: Request & { element: number }): void {
    if (outcome === undefined) context.count('unknown', 1)
    else if (outcome === 'closed') context.count(side === PUT ? 'refused' : 'ended', 1)
    else {
      context.count(`${side === PUT ? 'put' : 'got'}${element}`, 1)
      if (side === PUT) return
      const producer = Math.floor(element / 10)
      if ((last[producer] ?? 0) > element) context.count('disorder', 1)
      last = { ...last, [producer]: element }
    }
  }

  const options = (timeout?: number) => ({ timeout, what: () => 'queue', instead: 'await it' })
  return {
    memory,
    putSync(element: number) {
      const wish = request(PUT, element)
      queue.waitSync(Q, wish, options())
      done(wish)
    },
    takeSync(timeout?: number) {
      const wish = request(TAKE)
      try {
        queue.waitSync(Q, wish, options(timeout))
      } catch (error) {
        if (error instanceof DOMException) return
        throw error
      }
      done(wish)
    },
    try(side: Side, element?: number) {
      const wish = request(side, element)
      if (queue.tryNow(Q, wish)) done(wish)
      return wish.outcome
    },
    /** Awaits; gives a function that gives up, and one that says whether it was served. */
    await(side: Side, element?: number, then = () => {}) {
      const wish = request(side, element)
      let served = false
      context.waits(1)
      const { node, forget } = queue.enqueue(Q, wish, {
        granted() {
          served = true
          context.waits(-1)
          context.soon(() => {
            done(wish)
            then()
          })
        },
      })
      return {
        served: () => served,
        giveUp() {
          if (served || !context.lock.withdraw(node)) return
          forget()
          context.waits(-1)
        },
      }
    },
    close: () => queue.close(Q),
    size: () => queue.size(Q),
  }
}

type Queue = ReturnType<typeof attach>

const thread = (run: (queue: Queue, context: ThreadContext) => void): ThreadSpec => ({
  run: (context) => run(attach(context), context),
})
const mortal = (spec: ThreadSpec): ThreadSpec => ({ ...spec, mortal: true })

const puts = (...elements: number[]) =>
  thread((queue) => {
    for (const element of elements) queue.putSync(element)
  })
const takes = (times: number) => thread((queue) => void Array.from({ length: times }, () => queue.takeSync()))
const awaitsPuts = (...elements: number[]) =>
  thread((queue) => elements.forEach((element) => void queue.await(PUT, element)))
const awaitsTakes = (times: number) => thread((queue) => void Array.from({ length: times }, () => queue.await(TAKE)))
const impatient: ThreadSpec = { ...thread((queue) => queue.takeSync(5)), timed: true }
const aborts = (side: Side, element?: number) =>
  thread((queue, context) => {
    const waiter = queue.await(side, element)
    context.maybe(() => waiter.giveUp())
  })
const triesTo = (side: Side, ...elements: number[]) =>
  thread((queue) => elements.forEach((element) => void queue.try(side, element)))
const closes = thread((queue) => void queue.close())
const putsAndCloses = (...elements: number[]) =>
  thread((queue) => {
    for (const element of elements) queue.putSync(element)
    queue.close()
  })
/** Awaits an element, then blocks for one. */
const awaitsAndBlocks = thread((queue) => {
  if (!queue.await(TAKE).served()) queue.takeSync()
})
/** Awaits room, then blocks for an element. */
const awaitsRoomAndBlocks = (element: number) =>
  thread((queue) => {
    queue.await(PUT, element)
    queue.takeSync()
  })
/** Takes until there is no more. */
const drains = (most: number) =>
  thread((queue) => {
    for (let i = 0; i < most; i++) queue.takeSync()
  })
/** Takes one, without waiting if the first thread waits for room. */
const triesIfParked = thread((queue) => {
  if (queue.memory.isParked(1)) queue.try(TAKE)
  else queue.takeSync()
})
/** Awaits an element, and says so. */
const awaitsInLine = thread((queue) => {
  queue.await(TAKE)
  queue.memory.store(IN_LINE, 1)
})
/** Only if another one is in line: what it takes then, was that one's. */
const overtakes = thread((queue, context) => {
  if (queue.memory.load(IN_LINE) === 0) return
  queue.putSync(21)
  if (queue.try(TAKE) === 'moved') context.count('passed', 1)
})
/** Awaits an element, and blocks for the lock, which is held by one who takes an element himself. */
const awaitsAndBlocksForLock = thread((queue, { lock }) => {
  if (queue.await(TAKE).served()) queue.putSync(11)
  else {
    lock.acquireSync(L)
    lock.release(L)
  }
})
const takesUnderLock = thread((queue, { lock }) => {
  queue.takeSync()
  lock.release(L)
  queue.putSync(31)
})

type Counters = Readonly<Record<string, number>>

/** No element comes twice or out of order, and none that nobody put. */
function invariant(counters: Counters): string | undefined {
  for (const [name, times] of Object.entries(counters)) {
    if (name.startsWith('got') && (times > 1 || name === 'got0')) return `${name}: ${times} times`
    if (['disorder', 'unknown', 'passed'].includes(name) && times > 0) return name
  }
  return undefined
}

/** Of what living threads have put, `lost` at most is neither taken by one nor there: what the dead have taken. */
function kept(capacity: number, lost = 0): Pick<QueueScenario, 'capacity' | 'invariant' | 'finally'> {
  return {
    capacity,
    invariant,
    finally(counters, load) {
      const there = new Set<number>()
      for (let at = load(Q + HEAD); at !== load(Q + TAIL); at = (at + 1) % (2 * capacity)) {
        const element = load(CELLS + 4 * (at % capacity))
        if (element === 0 || there.has(element) || counters[`got${element}`]) return `${element} is there twice`
        there.add(element)
      }
      const missing = Object.keys(counters).filter((name) => {
        const element = name.slice(3)
        return (
          name.startsWith('put') && counters[name]! > 0 && !counters[`got${element}`] && !there.has(Number(element))
        )
      })
      return missing.length > lost ? `lost: ${missing}` : undefined
    },
  }
}

const ends = (capacity: number, wanted: Counters): ReturnType<typeof kept> => ({
  capacity,
  invariant,
  finally(counters, load) {
    const wrong = Object.entries(wanted).find(([name, times]) => (counters[name] ?? 0) !== times)
    return wrong ? `${wrong[0]}: ${counters[wrong[0]] ?? 0}, not ${wrong[1]}` : kept(capacity).finally!(counters, load)
  },
})

/** Small enough to be walked through in a second or so each. */
export const queueScenarios: Record<string, QueueScenario> = {
  'one puts three into room for one, one takes them': {
    threads: [puts(11, 12, 13), takes(3)],
    preemptions: 2,
    ...kept(1),
  },
  'two put two each into room for one, one takes them': {
    threads: [puts(11, 12), puts(21, 22), takes(4)],
    preemptions: 1,
    ...kept(1),
  },
  'one puts two into room for two, two take them': {
    threads: [puts(11, 12), takes(1), takes(1)],
    preemptions: 2,
    ...kept(2),
  },
  'one puts four into room for two, one awaits two, one takes two': {
    threads: [puts(11, 12, 13, 14), awaitsTakes(2), takes(2)],
    preemptions: 0,
    ...kept(2),
  },
  'one awaits room three times, one awaits three elements': {
    threads: [awaitsPuts(11, 12, 13), awaitsTakes(3)],
    preemptions: 2,
    ...kept(1),
  },
  'one gives up by timeout, one takes, one puts two': {
    threads: [impatient, takes(1), puts(11, 12)],
    preemptions: 1,
    mayWait: true,
    ...kept(1),
  },
  'one awaits and gives up, one takes, one puts two': {
    threads: [aborts(TAKE), takes(1), puts(11, 12)],
    preemptions: 1,
    ...kept(2),
  },
  'one awaits room and gives up, one puts, one takes': {
    threads: [aborts(PUT, 21), puts(11, 12), takes(2)],
    preemptions: 1,
    ...kept(1),
  },
  'one awaits an element and blocks for another, one puts two': {
    threads: [awaitsAndBlocks, puts(11, 12)],
    preemptions: 4,
    ...kept(1),
  },
  'one awaits an element and blocks for it, one takes, one puts three': {
    threads: [awaitsAndBlocks, takes(1), puts(11, 12, 13)],
    preemptions: 1,
    ...kept(2),
  },
  'one awaits room and blocks for an element, one puts two and takes two': {
    threads: [
      awaitsRoomAndBlocks(21),
      thread((queue) => {
        queue.putSync(11)
        queue.putSync(12)
        queue.takeSync()
        queue.takeSync()
      }),
    ],
    preemptions: 3,
    mayWait: true,
    ...kept(1),
  },
  'one puts two into room for one, one tries to take while it sleeps': {
    threads: [puts(11, 12), triesIfParked],
    preemptions: 4,
    ...kept(1),
  },
  'one is in line, one puts and would take it back': {
    threads: [awaitsInLine, overtakes],
    preemptions: 4,
    mayWait: true,
    ...kept(2),
  },
  'one awaits and blocks for a lock, for one who takes an element': {
    threads: [awaitsAndBlocksForLock, takesUnderLock, puts(21)],
    preemptions: 2,
    ...kept(2),
  },
  'one tries to put three, one tries to take': {
    threads: [triesTo(PUT, 11, 12, 13), triesTo(TAKE, 0, 0)],
    ...kept(2),
  },
  'one puts two and closes, two take until the end': {
    threads: [putsAndCloses(11, 12), drains(2), drains(2)],
    preemptions: 1,
    ...ends(2, { ended: 2 }),
  },
  'two wait for room, one closes': {
    threads: [puts(11, 12), awaitsPuts(21), closes],
    preemptions: 2,
    capacity: 1,
    invariant,
    finally: ({ refused = 0, put11 = 0, put12 = 0, put21 = 0 }, load) =>
      refused + put11 + put12 + put21 === 3 ? kept(1).finally!({ put11, put12, put21 }, load) : 'one was not told',
  },
  'two wait for an element, one closes': {
    threads: [takes(1), awaitsTakes(1), closes],
    preemptions: 2,
    ...ends(1, { ended: 2 }),
  },
  'a mortal takes, one takes, one puts two': {
    threads: [mortal(takes(1)), takes(1), puts(11, 12)],
    deaths: 1,
    preemptions: 0,
    ...kept(2, 1),
  },
  'a mortal takes, one puts two into room for one and takes': {
    threads: [
      mortal(takes(1)),
      thread((queue) => {
        queue.putSync(21)
        queue.putSync(22)
        queue.takeSync()
      }),
      triesTo(TAKE, 0),
    ],
    deaths: 1,
    preemptions: 0,
    mayWait: true,
    ...kept(1, 1),
  },
  'a mortal awaits, one awaits, one puts two': {
    threads: [mortal(awaitsTakes(1)), awaitsTakes(1), puts(11, 12)],
    deaths: 1,
    preemptions: 0,
    ...kept(2, 1),
  },
  'a mortal puts two, one puts and takes': {
    threads: [
      mortal(puts(11, 12)),
      thread((queue) => {
        queue.putSync(21)
        queue.takeSync()
      }),
      triesTo(TAKE, 0, 0),
    ],
    deaths: 1,
    preemptions: 0,
    mayWait: true,
    ...kept(1),
  },
  'a mortal puts, one awaits room, one takes two': {
    threads: [mortal(puts(11)), awaitsPuts(21, 22), takes(2)],
    deaths: 1,
    preemptions: 0,
    ...kept(1),
  },
  'a mortal takes what is left, one puts and closes, one takes until the end': {
    threads: [mortal(takes(1)), putsAndCloses(11, 12), drains(3)],
    deaths: 1,
    preemptions: 0,
    ...kept(2, 1),
  },
  'a mortal closes, one takes, one waits for room': {
    threads: [mortal(closes), takes(1), puts(21)],
    deaths: 1,
    preemptions: 1,
    ...kept(1),
    mayWait: true,
  },
}
