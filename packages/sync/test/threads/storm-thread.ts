/** A thread of `storm.ts`: does what comes to its mind with what all of them share, until told to stop. */
import { workerData } from 'node:worker_threads'
import { unmarshal } from '@flatshare/core'
import '@flatshare/sync'
import { Cell, MUTEXES, PERMITS, RWLOCKS, type Storm } from './storm-cells.js'

const { mutexes, rwlocks, semaphore, cells, slot, seed } = unmarshal<Storm>(workerData)
const own = Cell.own + slot * Cell.ownEach

let state = seed | 1
function below(n: number): number {
  state = (Math.imul(state, 1664525) + 1013904223) | 0
  return (state >>> 8) % n
}

function wrong(what: number): never {
  Atomics.store(cells, Cell.wrong, what)
  throw new Error(`storm: ${what}`)
}

/** Inside of a mutex: plain writes, of which two must come together. */
function change(index: number, { abandoned }: { abandoned: boolean }): void {
  const pair = Cell.pairs + 2 * index
  if (cells[pair] !== cells[pair + 1]) {
    if (!abandoned) wrong(1)
    cells[pair + 1] = cells[pair]!
    Atomics.add(cells, Cell.mended, 1)
  }
  cells[pair]!++
  cells[pair + 1]!++
  if (index < MUTEXES) cells[own + 1 + index]!++
}

function look(index: number, { abandoned }: { abandoned: boolean }): void {
  const pair = Cell.pairs + 2 * index
  if (cells[pair] !== cells[pair + 1] && !abandoned) wrong(2)
}

async function unlessTimedOut<R>(fn: () => R | PromiseLike<R>): Promise<R | undefined> {
  try {
    return await fn()
  } catch (error) {
    if ((error as Error).name === 'TimeoutError' || (error as Error).name === 'AbortError') return undefined
    throw error
  }
}

async function changeAwaiting(index: number): Promise<void> {
  using guard = await mutexes[index]!.lock()
  if (below(4) === 0) await Promise.resolve()
  change(index, guard)
}

const deeds: Array<() => void | Promise<void>> = [
  () => {
    const index = below(MUTEXES)
    using guard = mutexes[index]!.lockSync()
    change(index, guard)
  },
  () => {
    const index = below(MUTEXES)
    using guard = mutexes[index]!.tryLock()
    if (guard) change(index, guard)
  },
  async () => {
    const index = below(MUTEXES)
    using guard = await unlessTimedOut(() => mutexes[index]!.lockSync({ timeout: below(2) }))
    if (guard) change(index, guard)
  },
  () => changeAwaiting(below(MUTEXES)),
  async () => {
    const index = below(MUTEXES)
    await Promise.all([changeAwaiting(index), changeAwaiting(index), changeAwaiting(below(MUTEXES))])
  },
  async () => {
    const index = below(MUTEXES)
    const controller = new AbortController()
    const waiting = unlessTimedOut(() => mutexes[index]!.lock({ signal: controller.signal, timeout: 5 }))
    if (below(2) === 0) setImmediate(() => controller.abort())
    else controller.abort()
    using guard = await waiting
    if (guard) change(index, guard)
  },
  async () => {
    // Blocks for one while it awaits another that comes before it.
    const waiting = mutexes[0]!.lock()
    {
      using guard = mutexes[2]!.lockSync()
      change(2, guard)
    }
    using guard = await waiting
    change(0, guard)
  },
  () => {
    const index = below(RWLOCKS)
    using guard = rwlocks[index]!.readSync()
    look(MUTEXES + index, guard)
  },
  async () => {
    const index = below(RWLOCKS)
    using guard = await rwlocks[index]!.read()
    look(MUTEXES + index, guard)
  },
  () => {
    const index = below(RWLOCKS)
    using guard = rwlocks[index]!.writeSync()
    change(MUTEXES + index, guard)
  },
  async () => {
    const index = below(RWLOCKS)
    using guard = await rwlocks[index]!.write()
    change(MUTEXES + index, guard)
  },
  () => semaphore.acquireSync(1 + below(PERMITS)).release(),
  async () => (await semaphore.acquire(1 + below(PERMITS))).release(),
  () => semaphore.tryAcquire()?.release(),
]
/** What most rounds do, so that millions of them take minutes. */
const usual = [0, 0, 0, 0, 0, 1, 7, 7, 7, 9, 11]

while (Atomics.load(cells, Cell.stop) === 0) {
  for (let round = 0; round < 64; round++) {
    const deed = deeds[below(8) === 0 ? below(deeds.length) : usual[below(usual.length)]!]!()
    if (deed) await deed
    cells[own]!++
  }
  // Events of other threads come in here.
  if (below(16) === 0) await new Promise((resolve) => setImmediate(resolve))
}
