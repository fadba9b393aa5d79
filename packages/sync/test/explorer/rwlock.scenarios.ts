import { makeEngine } from './engine.js'
import { explore, type Findings, type Scenario } from './explore.js'
import { beginWith } from './initial-words.js'
import type { ThreadSpec } from './model.js'
import { type Awaiting, recordsMade, Side } from './rwlock-side.js'

const thread = (run: (side: Side) => void, how: Partial<ThreadSpec> = {}, isFirst = false): ThreadSpec => ({
  ...how,
  run: (context) => run(new Side(context, isFirst)),
})

const firstReads = thread((side) => side.read(), {}, true)
const firstWrites = thread((side) => side.write(), {}, true)
const reader = thread((side) => side.read())
const writer = thread((side) => side.write())
const readsTwice = thread((side) => {
  side.read()
  side.read()
})
const writesTwice = thread((side) => {
  side.write()
  side.write()
})
const readsThenWrites = thread((side) => {
  side.read()
  side.write()
})
const readsInside = thread((side) => side.read(undefined, () => side.read()))
const writesWhileReading = thread((side) => side.read(undefined, () => side.write()))
const readsWhileWriting = thread((side) => side.write(undefined, () => side.read()))
const triesToRead = thread((side) => side.tryRead())
const triesToWrite = thread((side) => side.tryWrite())
const impatientReader = thread((side) => side.read(5), { timed: true })
const impatientWriter = thread((side) => side.write(5), { timed: true })
const awaitsRead = thread((side) => void side.awaitRead())
const awaitsWrite = thread((side) => void side.awaitWrite())
/** Reads over a turn of the event loop. */
const awaitsAndKeepsRead = thread((side) => void side.awaitRead((release) => side.context.later(release)))
const awaitsAndKeepsWrite = thread((side) => void side.awaitWrite((release) => side.context.later(release)))
const awaitsReadOrGivesUp = thread((side) => {
  const awaiting = side.awaitRead()
  side.context.maybe(() => awaiting.giveUp())
})
const awaitsWriteOrGivesUp = thread((side) => {
  const awaiting = side.awaitWrite()
  side.context.maybe(() => awaiting.giveUp())
})
const upgrader = thread((side) => side.readAndUpgrade())
const impatientUpgrader = thread((side) => side.readAndUpgrade(5), { timed: true })
const triesToUpgrade = thread((side) => side.readAndTryToUpgrade())
const awaitsUpgrade = thread((side) => side.readAndAwaitUpgrade())
const awaitsUpgradeOrGivesUp = thread((side) => side.readAndAwaitUpgrade(true))
const downgrader = thread((side) => side.writeAndDowngrade())
const doesNotMend = thread((side) => side.writeWithoutMending())
const mortal = (spec: ThreadSpec): ThreadSpec => ({ ...spec, mortal: true })
/** Blocks for a plain lock, whose holder may want this lock, while it waits for this one. */
const blocksElsewhere = (awaits: (side: Side) => Awaiting): ThreadSpec =>
  thread((side) => {
    if (!awaits(side).served()) side.locked(() => {})
  })
const readsLocked = thread((side) => side.locked(() => side.read()))
const writesLocked = thread((side) => side.locked(() => side.write()))
const writesTwiceLocked = thread((side) =>
  side.locked(() => {
    side.write()
    side.write()
  }),
)
const lockedUntilWritten = thread((side) => side.lockedUntilWritten())
const locksReading = thread((side) => side.read(undefined, () => side.locked(() => {})))

/** Small enough to be walked through in a second or two each. */
export const rwLockScenarios: Readonly<Record<string, Scenario>> = {
  'one reads, one writes, twice each': { threads: [readsTwice, writesTwice], preemptions: 2 },
  'two read': { threads: [readsTwice, readsTwice] },
  'two write': { threads: [writesTwice, writesTwice], preemptions: 2 },
  'two read, one writes': { threads: [reader, reader, writer], preemptions: 1 },
  'one reads, two write': { threads: [reader, writer, writer], preemptions: 1 },
  'two read and write': { threads: [readsThenWrites, readsThenWrites], preemptions: 2 },
  'one reads inside of a read, two write': { threads: [readsInside, writer, writer], preemptions: 1 },
  'one wants to write while it reads, one writes': { threads: [writesWhileReading, writer], preemptions: 2 },
  'one wants to read while it writes, one reads': { threads: [readsWhileWriting, reader], preemptions: 3 },
  'one tries to read, one reads, one writes': { threads: [triesToRead, reader, writer], preemptions: 1 },
  'one tries to write, one reads, one writes': { threads: [triesToWrite, reader, writer], preemptions: 1 },
  'one tries to write, one to read, one reads': { threads: [triesToWrite, triesToRead, reader], preemptions: 2 },
  'one reads or gives up, one writes twice': { threads: [impatientReader, writesTwice], preemptions: 2 },
  'one writes or gives up, two read': { threads: [impatientWriter, reader, reader], preemptions: 1 },
  'one writes or gives up, one reads, one writes': { threads: [impatientWriter, reader, writer], preemptions: 1 },
  'one awaits a read, one writes twice': { threads: [awaitsRead, writesTwice], preemptions: 3 },
  'one awaits a write, one reads twice': { threads: [awaitsWrite, readsTwice], preemptions: 2 },
  'one awaits a read, one a write': { threads: [awaitsAndKeepsRead, awaitsAndKeepsWrite] },
  'two await a write': { threads: [awaitsAndKeepsWrite, awaitsAndKeepsWrite] },
  'one awaits a read, one a write, one writes': { threads: [awaitsAndKeepsRead, awaitsWrite, writer], preemptions: 1 },
  'one awaits a read or gives up, one writes, one reads': {
    threads: [awaitsReadOrGivesUp, writer, reader],
    preemptions: 1,
  },
  'one awaits a write or gives up, two read': { threads: [awaitsWriteOrGivesUp, reader, reader], preemptions: 1 },
  'one awaits a write or gives up, one reads, one awaits to read': {
    threads: [awaitsWriteOrGivesUp, reader, awaitsRead],
    preemptions: 1,
  },
  'one awaits a read and blocks for one who writes': {
    threads: [blocksElsewhere((side) => side.awaitRead()), writesLocked, writer],
    preemptions: 1,
  },
  'one awaits a write and blocks for one who reads': {
    threads: [blocksElsewhere((side) => side.awaitWrite()), readsLocked, reader],
    preemptions: 1,
  },
  'one awaits a write and blocks for one who writes': {
    threads: [blocksElsewhere((side) => side.awaitWrite()), writesLocked, reader],
    preemptions: 1,
  },
  'one awaits a read and blocks for one who writes twice': {
    threads: [blocksElsewhere((side) => side.awaitRead()), writesTwiceLocked],
    preemptions: 2,
  },
  'one awaits a write and blocks for one who reads, then awaits one': {
    threads: [blocksElsewhere((side) => side.awaitWrite()), lockedUntilWritten],
    preemptions: 2,
  },
  'one blocks while it reads for one who wants to write': { threads: [locksReading, writesLocked], preemptions: 2 },
  'one upgrades, one reads': { threads: [upgrader, readsTwice], preemptions: 2 },
  'one upgrades, one reads, one writes': { threads: [upgrader, reader, writer], preemptions: 1 },
  'one upgrades or gives up, one reads, one writes': { threads: [impatientUpgrader, reader, writer], preemptions: 1 },
  'one tries to upgrade, one reads, one writes': { threads: [triesToUpgrade, reader, writer], preemptions: 1 },
  'two upgrade': { threads: [upgrader, upgrader], preemptions: 2 },
  'two upgrade, one writes': { threads: [upgrader, upgrader, writer], preemptions: 1 },
  'one upgrades, one awaits to upgrade': { threads: [upgrader, awaitsUpgrade], preemptions: 2 },
  'one awaits to upgrade or gives up, one reads, one writes': {
    threads: [awaitsUpgradeOrGivesUp, reader, writer],
    preemptions: 1,
  },
  'one upgrades, one downgrades': { threads: [upgrader, downgrader], preemptions: 2 },
  'one downgrades, one reads, one writes': { threads: [downgrader, reader, writer], preemptions: 1 },
  'two downgrade': { threads: [downgrader, downgrader], preemptions: 3 },
  'two read for the first time, one writes': { threads: [firstReads, firstReads, firstWrites], preemptions: 1 },
  'a mortal reads for the first time, one too, one writes': {
    threads: [mortal(firstReads), firstReads, firstWrites],
    deaths: 1,
    preemptions: 0,
  },
  'a mortal reads, one writes': { threads: [mortal(reader), writer], deaths: 1, preemptions: 1 },
  'a mortal reads, one writes, one reads': { threads: [mortal(reader), writer, reader], deaths: 1, preemptions: 0 },
  'a mortal writes, one reads and writes': { threads: [mortal(writer), readsThenWrites], deaths: 1, preemptions: 1 },
  'a mortal writes, one reads, one writes': { threads: [mortal(writer), reader, writer], deaths: 1, preemptions: 0 },
  'a mortal writes, one does not mend, one does': {
    threads: [mortal(writer), doesNotMend, writer],
    deaths: 1,
    preemptions: 0,
  },
  'a mortal awaits a write, one awaits a read, one writes': {
    threads: [mortal(awaitsWrite), awaitsRead, writer],
    deaths: 1,
    preemptions: 0,
  },
  'a mortal awaits a write, one writes': { threads: [mortal(awaitsWrite), writer], deaths: 1, preemptions: 2 },
  'a mortal awaits a read, one writes': { threads: [mortal(awaitsRead), writer], deaths: 1, preemptions: 2 },
  'a mortal awaits a read, one awaits a write, one writes': {
    threads: [mortal(awaitsRead), awaitsWrite, writer],
    deaths: 1,
    preemptions: 0,
  },
  'a mortal upgrades, one reads, one writes': {
    threads: [mortal(upgrader), reader, writer],
    deaths: 1,
    preemptions: 0,
  },
  'a mortal upgrades, one upgrades': { threads: [mortal(upgrader), upgrader], deaths: 1, preemptions: 0 },
  'a mortal downgrades, one writes': { threads: [mortal(downgrader), writer], deaths: 1, preemptions: 1 },
  'a mortal writes, one awaits to upgrade': { threads: [mortal(writer), awaitsUpgrade], deaths: 1, preemptions: 1 },
}

/** Where somebody would wait for ever. */
const REFUSES =
  /wants|two upgrade|one upgrades, one awaits to upgrade|a mortal upgrades, one upgrades|a mortal writes, one awaits/

/** What was found of a scenario, and whether its rare ends were reached. */
export interface RwLockFindings extends Findings {
  /** Somebody was refused because he would never have come in. */
  readonly refused: boolean
  /** A reader was told of a writer's death. */
  readonly readerTold: boolean
}

/** Walks through a scenario: never is a writer in with anybody else. */
export function exploreRwLock(name: string, morePreemptions = 0, maxStates?: number): RwLockFindings {
  const scenario = rwLockScenarios[name]!
  let refused = false
  let readerTold = false
  const found = explore(
    {
      ...scenario,
      ...(scenario.preemptions === undefined ? {} : { preemptions: scenario.preemptions + morePreemptions }),
      invariant: (counters) =>
        counters['refused'] && !REFUSES.test(name) ? 'refused without need' : invariant(counters),
      finally(counters) {
        refused ||= (counters['refused'] ?? 0) > 0
        readerTold ||= (counters['readers told'] ?? 0) > 0
        return undefined
      },
    },
    makeEngine,
    { ...(name.includes('first time') ? {} : { mutate: beginWith(recordsMade) }), ...(maxStates ? { maxStates } : {}) },
  )
  return { ...found, refused, readerTold }
}

function invariant({
  writing = 0,
  reading = 0,
  'keeps writers out': kept = 0,
}: Record<string, number>): string | undefined {
  if (writing > 1) return 'two write'
  if (writing > 0 && reading > 0) return 'one writes while one reads'
  if (writing > 0 && kept > 0) return 'one writes while another one downgrades'
  return undefined
}
