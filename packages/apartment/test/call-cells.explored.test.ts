/** Every interleaving of a cell's protocol, and of that with one line broken, which some scenario must find out. */
import { describe, expect, it } from 'vitest'
import { cellProtocol, type Words } from '../dist/call-cells.js'

type Protocol = ReturnType<typeof cellProtocol>
type Outcome = Record<string, unknown>
/** What one thread does; what it finds out goes into the outcome. */
type Program = (protocol: Protocol, words: Words, outcome: Outcome) => void

interface Scenario {
  readonly programs: readonly Program[]
  /** What must not be found out. */
  readonly wrong: (outcome: Outcome) => boolean
}

const CELL = 0
const SENT = 100
const TURN = 7

/** The end of this step. */
class Stop extends Error {}
const stop = new Stop()

/**
 * Runs a thread one operation further: what it did before it does again, with what it read then.
 *
 * @returns whether there was one more.
 */
function step(
  program: Program,
  make: (words: Words) => Protocol,
  memory: Map<number, number>,
  read: number[],
  outcome: Outcome,
): boolean {
  let at = 0
  const operate = (fresh: () => number): number => {
    if (at < read.length) return read[at++]!
    read.push(fresh())
    throw stop
  }
  const words: Words = {
    load: (address) => operate(() => memory.get(address) ?? 0),
    store: (address, value) =>
      void operate(() => {
        memory.set(address, value)
        return value
      }),
    compareExchange: (address, expected, value) =>
      operate(() => {
        const found = memory.get(address) ?? 0
        if (found === expected) memory.set(address, value)
        return found
      }),
  }
  try {
    program(make(words), words, outcome)
    return false
  } catch (error) {
    if (error !== stop) throw error
    return true
  }
}

/** The first schedule that leads to something wrong, and how many there are. */
function explore(
  { programs, wrong }: Scenario,
  make: (words: Words) => Protocol,
): { schedules: number; found?: number[] } {
  let schedules = 0
  let found: number[] | undefined
  const walk = (
    memory: Map<number, number>,
    reads: number[][],
    outcomes: Outcome[],
    done: Set<number>,
    path: number[],
  ): void => {
    if (found) return
    if (done.size === programs.length) {
      schedules++
      if (wrong(Object.assign({}, ...outcomes) as Outcome)) found = path
      return
    }
    for (let thread = 0; thread < programs.length; thread++) {
      if (done.has(thread)) continue
      const copy = new Map(memory)
      const read = [...reads[thread]!]
      const outcome: Outcome = {}
      const more = step(programs[thread]!, make, copy, read, outcome)
      walk(
        copy,
        reads.map((other, i) => (i === thread ? read : other)),
        outcomes.map((other, i) => (i === thread ? outcome : other)),
        more ? done : new Set([...done, thread]),
        [...path, thread],
      )
      // A thread that has nothing left to do does that at once: no order of it with others is another schedule.
      if (!more) return
    }
  }
  walk(
    new Map([[CELL, TURN]]),
    programs.map(() => []),
    programs.map(() => ({})),
    new Set(),
    [],
  )
  return found ? { schedules, found } : { schedules }
}

const scenarios: Record<string, Scenario> = {
  'a call that is given up while it begins': {
    programs: [
      (protocol, _words, outcome) => {
        protocol.end(CELL, TURN)
        outcome.started = protocol.started(CELL, TURN)
      },
      (protocol, _words, outcome) => {
        outcome.runs = protocol.start(CELL, TURN)
      },
    ],
    // Its thread would be left alone, and it would run on.
    wrong: ({ started, runs }) => started === false && runs === true,
  },
  'a call whose cell is used again while it begins late': {
    programs: [
      (protocol, words, outcome) => {
        protocol.end(CELL, TURN)
        outcome.turn = protocol.begin(CELL)
        words.store(SENT, 1)
        protocol.end(CELL, TURN + 2)
        outcome.started = protocol.started(CELL, TURN + 2)
      },
      (protocol, _words, outcome) => {
        outcome.lateRuns = protocol.start(CELL, TURN)
      },
      (protocol, words, outcome) => {
        if (words.load(SENT) === 1) outcome.runs = protocol.start(CELL, TURN + 2)
      },
    ],
    wrong: ({ turn, started, runs }) => turn !== TURN + 2 || (started === false && runs === true),
  },
  'a call that nobody gives up': {
    programs: [
      (protocol, _words, outcome) => {
        outcome.runs = protocol.start(CELL, TURN) && protocol.wanted(CELL, TURN)
      },
      (protocol, _words, outcome) => {
        // Of the call before, whose turn has passed.
        outcome.lateRuns = protocol.start(CELL, TURN - 2)
      },
    ],
    wrong: ({ runs, lateRuns }) => runs !== true || lateRuns !== false,
  },
}

const broken: Record<string, (words: Words) => Protocol> = {
  'a start that isn’t checked again': (words) => ({
    ...cellProtocol(words),
    start: (cell, turn) => {
      if (words.load(cell) !== turn) return false
      words.compareExchange(cell + 4, words.load(cell + 4), turn)
      return true
    },
  }),
  'a start that overwrites another': (words) => ({
    ...cellProtocol(words),
    start: (cell, turn) => {
      words.store(cell + 4, turn)
      return words.load(cell) === turn
    },
  }),
  'a look before the wish is taken back': (words) => {
    const protocol = cellProtocol(words)
    let looked = false
    return {
      ...protocol,
      end: (cell, turn) => {
        looked = protocol.started(cell, turn)
        protocol.end(cell, turn)
      },
      started: () => looked,
    }
  },
}

describe('S14 every interleaving of', () => {
  it.each(Object.entries(scenarios))('%s', (_name, scenario) => {
    const { schedules, found } = explore(scenario, cellProtocol)
    expect(found).toBeUndefined()
    expect(schedules).toBeGreaterThan(5)
  })
})

describe('is found out by some scenario:', () => {
  it.each(Object.entries(broken))('%s', (_name, make) => {
    expect(Object.values(scenarios).some((scenario) => explore(scenario, make).found)).toBe(true)
  })
})
