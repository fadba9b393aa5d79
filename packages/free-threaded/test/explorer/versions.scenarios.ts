import { FIRST_LOCK, type Scenario, SECOND_LOCK } from '../../../sync/dist-test/explorer/explore.js'
import type { ThreadContext, ThreadSpec } from '../../../sync/dist-test/explorer/model.js'
import { makeVersions, type VersionMemory } from '../../dist/versions.js'

/** What the scenarios run; tests put a broken one in its place. */
export const subject = { makeVersions }

/** An object, between its two locks. */
const L = FIRST_LOCK
const M = SECOND_LOCK
const OBJECT = 32
/** Two fields under the first lock, one under the second. */
const [LEFT, RIGHT, THIRD] = [0, 4, 8]
const IMAGES = 64
const IMAGE_BYTES = 12
const RUNS = { [L]: [LEFT, LEFT, 4, RIGHT, RIGHT, 4], [M]: [THIRD, THIRD, 4] }

/** The object as one thread has it. Fields and images are read while others write: so each access is a step. */
function attach({ waiting, lock, inside, count }: ThreadContext) {
  const { memory } = waiting.queues
  const model: VersionMemory = {
    load: memory.load,
    loadFirst: memory.load,
    publish: memory.store,
    get: memory.load,
    set: memory.store,
    fence() {},
  }
  const versions = subject.makeVersions(model)
  const commit = (at: typeof L | typeof M) => versions.commit(at, OBJECT, IMAGES, IMAGE_BYTES, RUNS[at]!)
  const commitRun = () => versions.commitRun(L, OBJECT + LEFT, IMAGES + LEFT, IMAGE_BYTES, 8)

  /** Adds one to both fields of the first lock, which are equal whenever nobody is inside. Gives what they are. */
  function write(mends = true): number {
    const outcome = lock.acquireSync(L)
    let value = 0
    inside(L, outcome, () => {
      if (outcome === 'abandoned' && !mends) return
      value = Math.max(memory.load(OBJECT + LEFT), memory.load(OBJECT + RIGHT)) + 1
      memory.store(OBJECT + LEFT, value)
      memory.store(OBJECT + RIGHT, value)
      // Both ways, by turns.
      if (value % 2) commitRun()
      else commit(L)
    })
    if (outcome === 'abandoned' && !mends) lock.releaseUnmended(L)
    else lock.release(L)
    return value
  }

  /** Adds one to the field of the second lock. */
  function writeThird(): void {
    inside(M, lock.acquireSync(M), () => {
      memory.store(OBJECT + THIRD, memory.load(OBJECT + THIRD) + 1)
      commit(M)
    })
    lock.release(M)
  }

  function snapshot() {
    return versions.consistently([L, M], ([atL, atM]) => {
      const [first, second] = [versions.imageAt(IMAGES, IMAGE_BYTES, atL!), versions.imageAt(IMAGES, IMAGE_BYTES, atM!)]
      return { left: model.get(first + LEFT), right: model.get(first + RIGHT), third: model.get(second + THIRD) }
    })
  }

  /** Looks, and finds fault with what isn't of one moment, or older than `least`. Gives what it saw. */
  function look(least = 0): number {
    const { left, right, third } = snapshot()
    if (left !== right) count('torn', 1)
    if (third > left) count('of two moments', 1)
    if (left < least) count('stale', 1)
    return left
  }

  /** One try of an optimistic read. */
  function read(): void {
    const version = versions.begin(L)
    const [left, right] = [memory.load(OBJECT + LEFT), memory.load(OBJECT + RIGHT)]
    if (versions.isUnchanged(L, version) && left !== right) count('torn', 1)
  }

  return { write, writeThird, look, read }
}

const FAULTS = ['torn', 'of two moments', 'stale']

const faultless = (counters: Readonly<Record<string, number>>) => FAULTS.find((fault) => counters[fault])

/** In the end the current image is what the fields are, unless a dead thread has the lock. */
function committed(_: unknown, load: (address: number) => number): string | undefined {
  if (load(L) !== 0) return undefined
  const image = IMAGES + (load(L + 12) & 1) * IMAGE_BYTES
  const fields = [load(OBJECT + LEFT), load(OBJECT + RIGHT)]
  const seen = [load(image + LEFT), load(image + RIGHT)]
  return `${fields}` === `${seen}` ? undefined : `The fields are ${fields}, and ${seen} is seen.`
}

const thread = (run: (object: ReturnType<typeof attach>) => void, rest: Partial<ThreadSpec> = {}): ThreadSpec => ({
  ...rest,
  run: (context) => run(attach(context)),
})

const writer = (times: number, rest: Partial<ThreadSpec> = {}) =>
  thread(({ write, look }) => {
    for (let i = 0; i < times; i++) look(write())
  }, rest)

/** Whatever a writer that is only there to write does. */
const silentWriter = (times: number, rest: Partial<ThreadSpec> = {}) =>
  thread(({ write }) => {
    for (let i = 0; i < times; i++) write()
  }, rest)

const looker = (times: number) =>
  thread(({ look }) => {
    let least = 0
    for (let i = 0; i < times; i++) least = look(least)
  })

const reader = (times: number) =>
  thread(({ read }) => {
    for (let i = 0; i < times; i++) read()
  })

const mortal: Partial<ThreadSpec> = { mortal: true }

export const versionScenarios: Readonly<Record<string, Scenario>> = {
  'one writes three times, one looks twice': {
    threads: [silentWriter(3), looker(2)],
    invariant: faultless,
    finally: committed,
  },
  'two write and look at what they wrote, one looks': {
    threads: [writer(1), writer(1), looker(1)],
    preemptions: 2,
    invariant: faultless,
    finally: committed,
  },
  'one writes the one group, then the other; one looks': {
    threads: [
      thread(({ write, writeThird }) => {
        write()
        writeThird()
        write()
      }),
      looker(1),
    ],
    invariant: faultless,
    finally: committed,
  },
  'a mortal writes, one takes over and writes, one looks': {
    threads: [silentWriter(1, mortal), silentWriter(1), looker(1)],
    deaths: 1,
    preemptions: 1,
    invariant: faultless,
    finally: committed,
  },
  'one writes twice, one reads optimistically twice': {
    threads: [silentWriter(2), reader(2)],
    invariant: faultless,
    finally: committed,
  },
  'two write, one reads optimistically': {
    threads: [silentWriter(1), silentWriter(1), reader(1)],
    preemptions: 3,
    invariant: faultless,
    finally: committed,
  },
  'a mortal writes, one takes over and does not mend, one reads optimistically': {
    threads: [silentWriter(1, mortal), thread(({ write }) => void write(false)), reader(1)],
    deaths: 1,
    preemptions: 1,
    invariant: faultless,
  },
}
