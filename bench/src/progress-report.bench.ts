// What a report costs with nobody watching, beside one bare compare-exchange and beside a message for each report.
import { MessageChannel } from 'node:worker_threads'
import { Progress } from '@flatshare/progress'
import type { Benchmark } from './benchmark.js'
import { keep, timed } from './timed.js'

const TIMES = 200_000
const SECOND_STEP = 2 ** 40

const word = new Int32Array(new SharedArrayBuffer(64))
const progress = new Progress({ total: SECOND_STEP })
const part = new Progress({ total: SECOND_STEP }).child({ items: SECOND_STEP / 2 })
const unknown = new Progress()
const { port1, port2 } = new MessageChannel()

function compareExchange(times: number): void {
  let swapped = 0
  for (let i = 0; i < times; i++) {
    const now = word[0]!
    if (Atomics.compareExchange(word, 0, now, (now + 1) | 0) === now) swapped++
  }
  keep(swapped)
}

function advance(times: number): void {
  let goes = 0
  for (let i = 0; i < times; i++) if (progress.advance()) goes++
  keep(goes)
}

/** Each moves the value, in its finest steps. */
function advanceEach(times: number): void {
  const each = new Progress({ total: times + 1 })
  let goes = 0
  for (let i = 0; i < times; i++) if (each.advance()) goes++
  keep(goes)
}

function advancePart(times: number): void {
  let goes = 0
  for (let i = 0; i < times; i++) if (part.advance()) goes++
  keep(goes)
}

function advanceUnknown(times: number): void {
  let goes = 0
  for (let i = 0; i < times; i++) if (unknown.advance()) goes++
  keep(goes)
}

function reportEach(times: number): void {
  const each = new Progress({ total: times + 1, min: 0, max: times + 1 })
  let goes = 0
  for (let i = 1; i <= times; i++) if (each.report(i, i, times + 1)) goes++
  keep(goes)
}

function post(times: number): void {
  for (let i = 0; i < times; i++) port2.postMessage(i)
}

/** Nobody receives them: what is left of them is read away outside of the sample. */
async function posting(): Promise<number> {
  const each = await timed(20_000, post)
  await new Promise<void>((resolve) => {
    port1.on('message', (last) => {
      if (last === 19_999) resolve()
    })
  })
  port1.removeAllListeners('message')
  return each
}

const SWAP = 'one bare compare-exchange'
export default {
  title: 'A report of progress, with nobody watching',
  rows: [
    { name: 'advance()', run: () => timed(TIMES, advance) },
    { name: SWAP, role: 'limit', run: () => timed(TIMES, compareExchange) },
    { name: 'advance(), where each moves the bar', role: 'variant', run: () => timed(TIMES, advanceEach) },
    { name: 'advance() of an unknown total', role: 'variant', run: () => timed(TIMES, advanceUnknown) },
    { name: 'advance() of a child', role: 'variant', run: () => timed(TIMES, advancePart) },
    { name: 'report(value, count, total)', role: 'variant', run: () => timed(TIMES, reportEach) },
    { name: 'postMessage, for each report', run: posting },
  ],
  goals: [{ against: SWAP, within: 3 }],
  noneFaster: true,
  close() {
    port1.close()
    port2.close()
  },
} satisfies Benchmark
