import { parentPort } from 'node:worker_threads'
import { locked, snapshot } from '@flatshare/free-threaded'
import '../range.js'
import type { Pair, Range } from '../range.js'
import { type Jobs, serveJobs } from './jobs.js'

const turn = () => new Promise((resolve) => setImmediate(resolve))

/** Says that it is inside, then waits there until `gate` is opened. */
const holdAt = (gate: Int32Array) => () => {
  parentPort!.postMessage({ inside: true })
  Atomics.wait(gate, 0, 0)
}

const jobs = {
  move(range: Range, times: number) {
    for (let i = 0; i < times; i++) range.move(i % 2 === 0 ? 3 : -1)
  },
  async moveAsync(range: Range, times: number) {
    for (let i = 0; i < times; i++) await range.moveAfter(1, turn())
  },
  /** Looks until somebody has opened `gate`. */
  gap(range: Range, gate: Int32Array) {
    let looks = 0
    while (looks === 0 || Atomics.load(gate, 0) === 0) {
      if (range.gap() !== 100 || range.width() !== 100) throw new Error('Torn.')
      looks++
    }
    return looks
  },
  snapshots(range: Range, gate: Int32Array) {
    let looks = 0
    while (looks === 0 || Atomics.load(gate, 0) === 0) {
      const { low, high, twice, isOdd, state } = snapshot(range)
      const whole = high - low === 100 && Number(twice) === 2 * low && isOdd === (low % 2 !== 0)
      if (!whole || state !== (isOdd ? 'shut' : 'open'))
        throw new Error(`Torn: ${low} ${high} ${twice} ${isOdd} ${state}`)
      looks++
    }
    return looks
  },
  holdMove: (range: Range, gate: Int32Array) => range.moveAround(1, holdAt(gate)),
  holdRead: (range: Range, gate: Int32Array) => range.widthAround(holdAt(gate)),
  holdHit: (range: Range, gate: Int32Array) => range.hitAround(holdAt(gate)),
  async holdReadAsync(range: Range, gate: Int32Array) {
    const read = range.widthAfter(Atomics.waitAsync(gate, 0, 0).value as Promise<unknown>)
    parentPort!.postMessage({ inside: true })
    return read
  },
  dieMoving: (range: Range) => range.moveAround(1, () => process.exit(3)),
  dieReading: (range: Range) => range.widthAround(() => process.exit(3)),
  dieSetting: (pair: Pair) => pair.set(pair.first + 1, () => process.exit(3)),
  async dieSettingAsync(pair: Pair) {
    await pair.setAfter(
      pair.first + 1,
      turn().then(() => process.exit(3)),
    )
  },
  check: (pair: Pair) => pair.check(),
  hit(range: Range, times: number) {
    for (let i = 0; i < times; i++) range.hit()
  },
  transfer({ from, to, times }: { from: Range; to: Range; times: number }) {
    for (let i = 0; i < times; i++) {
      locked([from, to], (from, to) => {
        from.move(-1)
        to.move(1)
      })
    }
  },
  block: (range: Range) => range.move(1),
} satisfies Jobs

serveJobs(jobs)
