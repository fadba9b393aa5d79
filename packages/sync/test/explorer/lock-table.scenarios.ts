import type { LockMode } from '@flatshare/sync'
import { type Entrance, makeLockTable, type Ticket } from '../../dist/lock-table.js'
import type { Scenario } from './explore.js'
import type { ThreadContext, ThreadSpec } from './model.js'

/** What the scenarios run; tests put a broken one in its place. */
export const subject = { makeLockTable }

/** Three words and one bucket. */
const TABLE = 64
/** A word that tells that the victim holds its lock. */
const HELD = 80
/** The model has blocks of one size. */
const BLOCK = 48

type Table = ReturnType<typeof makeLockTable>

/** The table, as this thread sees it. */
function tableFor({ waiting }: ThreadContext): Table {
  const { queues } = waiting
  const memory = { ...queues.memory, allocate: () => queues.memory.allocate(BLOCK) }
  return subject.makeLockTable({ ...waiting, queues: { ...queues, memory } }, () => TABLE, 1)
}

interface Request {
  name?: string
  mode?: LockMode
  entrance?: Entrance
  /** Holds the lock until the scheduler has turned the event loop; without it, until the running code has returned. */
  overTheLoop?: boolean
  /** Never gives the lock up: it is to be robbed. */
  untilRobbed?: boolean
  afterwards?: () => void
}

/** Requests a lock; gives it up after a while. */
function request(context: ThreadContext, table: Table, how: Request = {}): () => void {
  const { name = 'n', mode = 'exclusive', entrance = 'queue', overTheLoop, untilRobbed, afterwards } = how
  const { count, waits, soon, later } = context
  let ticket: Ticket | undefined
  let state: 'waiting' | 'held' | 'over' = 'waiting'
  const leave = () => {
    if (state === 'over') return
    if (state === 'waiting') waits(-1)
    else count(`${mode} ${name}`, -1)
    state = 'over'
    table.leave(ticket!)
    audit(context)
  }
  waits(1)
  ticket = table.enter(name, mode, entrance, {
    granted() {
      if (state !== 'waiting') throw new Error('Granted again, or to nobody.')
      state = 'held'
      count('grants', 1)
      count(`${mode} ${name}`, 1)
      waits(-1)
      if (untilRobbed) context.waiting.queues.memory.store(HELD, 1)
      const end = () => {
        leave()
        afterwards?.()
      }
      if (overTheLoop) later(end)
      else if (!untilRobbed) soon(end)
    },
    stolen() {
      if (state === 'waiting') throw new Error('Robbed of what it had not.')
      count('robberies', 1)
      if (state !== 'held') return
      state = 'over'
      count(`${mode} ${name}`, -1)
    },
  })
  if (!ticket) {
    if (entrance !== 'ifAvailable') throw new Error('Refused.')
    state = 'over'
    waits(-1)
  }
  return leave
}

/** Looks whether the table is whole: its lists agree with themselves, and nothing is left ungranted. */
function audit({ waiting }: ThreadContext): void {
  const { memory } = waiting.queues
  const { get } = memory
  const wrong = (what: string) => {
    throw new Error(`The table is not whole: ${what}.`)
  }
  waiting.enter(TABLE)
  // Else a dead thread left it so, and the next one mends it.
  if (get(TABLE) === 0) {
    for (let resource = get(TABLE + 12); resource !== 0; resource = get(resource)) {
      if (get(resource + 12) === 0) wrong('a resource without requests')
      let last = 0
      let firstWaiting = 0
      let shared = 0
      let exclusive = 0
      for (let at = get(resource + 12); at !== 0; last = at, at = get(at)) {
        const state = get(at + 16)
        if (get(at + 4) !== last) wrong('previous')
        if (get(at + 8) !== resource) wrong('a request of another resource')
        if (state & 4) wrong('a robbed request in a list')
        if (state & 2) {
          if (firstWaiting !== 0) wrong('a holder behind one who waits')
          if (state & 1) exclusive++
          else shared++
        } else firstWaiting ||= at
      }
      if (get(resource + 16) !== last) wrong('last')
      if (get(resource + 20) !== firstWaiting) wrong('first waiting')
      if (exclusive > 1 || (exclusive > 0 && shared > 0)) wrong('holders exclude each other')
      const free = exclusive === 0 && (shared === 0 || (get(firstWaiting + 16) & 1) === 0)
      if (firstWaiting !== 0 && free) wrong('one waits that is admitted')
    }
  }
  waiting.leave()
}

const over: Request = { overTheLoop: true }
const shared: Request = { mode: 'shared', overTheLoop: true }
const victim: Request = { untilRobbed: true }
const thief: Request = { entrance: 'steal' }

const requester = (...requests: Request[]): ThreadSpec => ({
  run(context) {
    const table = tableFor(context)
    const next = (i: number) => {
      if (i < requests.length) request(context, table, { ...requests[i], afterwards: () => next(i + 1) })
    }
    next(0)
  },
})

/** Withdraws its request at some time, perhaps. */
const aborter = (how: Request = {}): ThreadSpec => ({
  run(context) {
    context.maybe(request(context, tableFor(context), how))
  },
})

/** Robs the victim, if there is one already. */
const watchfulThief: ThreadSpec = {
  run(context) {
    const table = tableFor(context)
    if (context.waiting.queues.memory.load(HELD) === 0) return
    context.count('thefts', 1)
    request(context, table, thief)
  },
}

const mortal = (spec: ThreadSpec): ThreadSpec => ({ ...spec, mortal: true })

/** Exclusive means alone, where nobody robs. */
const exclusion: Pick<Scenario, 'invariant'> = {
  invariant(counters) {
    for (const name of ['n', 'm']) {
      const exclusive = counters[`exclusive ${name}`] ?? 0
      if (exclusive > 1) return 'two hold an exclusive lock'
      if (exclusive > 0 && (counters[`shared ${name}`] ?? 0) > 0) return 'an exclusive lock is shared'
    }
    return undefined
  },
}

/** Small enough to be walked through in a second or so each. */
export const tableScenarios: Record<string, Scenario> = {
  'two request': { ...exclusion, threads: [requester(over), requester(over)], preemptions: 4 },
  'two request twice': { ...exclusion, threads: [requester({}, over), requester({}, over)], preemptions: 3 },
  'three request': { ...exclusion, threads: [requester(over), requester(over), requester(over)], preemptions: 1 },
  'two share, one does not': {
    ...exclusion,
    threads: [requester(shared), requester(shared), requester(over)],
    preemptions: 1,
  },
  'one gives up, one requests': { ...exclusion, threads: [aborter(over), requester(over)], preemptions: 3 },
  'one gives up, one requests, one holds': {
    ...exclusion,
    threads: [aborter(over), requester(over), requester(over)],
    preemptions: 1,
  },
  'two names in one bucket': {
    ...exclusion,
    threads: [requester(over, { name: 'm' }), requester({ name: 'm', overTheLoop: true }, {})],
    preemptions: 3,
  },
  'one takes what is available': {
    ...exclusion,
    threads: [requester({ entrance: 'ifAvailable', overTheLoop: true }), requester(over)],
  },
  'one is robbed': { threads: [requester(victim), watchfulThief], finally: eachHears },
  'one is robbed where another one waits': {
    threads: [requester(over), requester(thief), requester(over)],
    preemptions: 1,
  },
  'two rob': { threads: [requester(thief, over), requester({ ...thief, overTheLoop: true })], preemptions: 3 },
  'a mortal and one who requests': {
    ...exclusion,
    threads: [mortal(requester(over)), requester(over)],
    deaths: 1,
    preemptions: 1,
  },
  'a mortal and two who request': {
    ...exclusion,
    threads: [mortal(requester(over)), requester(over), requester(over)],
    deaths: 1,
    preemptions: 0,
  },
  'a mortal who shares, one who shares, one who does not': {
    ...exclusion,
    threads: [mortal(requester(shared)), requester(shared), requester(over)],
    deaths: 1,
    preemptions: 0,
  },
  'a mortal thief': {
    threads: [requester(over), mortal(requester(thief)), requester(over)],
    deaths: 1,
    preemptions: 0,
  },
  'a mortal thief and one who is robbed': {
    threads: [requester(over), mortal(requester(thief))],
    deaths: 1,
    preemptions: 1,
  },
  'a mortal who is robbed': { threads: [mortal(requester(over)), requester(thief)], deaths: 1, preemptions: 1 },
}

/** Who is robbed, and has nothing else to do, hears of it. */
function eachHears({ thefts = 0, robberies = 0 }: Readonly<Record<string, number>>): string | undefined {
  return thefts === robberies ? undefined : 'robbed without a word'
}
