import { deepStrictEqual } from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import type { Row } from '../benchmark.js'
import type { Peer } from './peer.js'

/** How a row of calls is sampled. */
export interface CallSampling {
  /** What the call must give; checked once, before anything is measured. */
  readonly expected: unknown
  /** Calls that one `call` stands for: 1 by default. */
  readonly calls?: number
  /** A sample has so many `call`s at least: 300 by default … */
  readonly atLeast?: number
  /** … and takes about so many milliseconds: 30 by default. */
  readonly milliseconds?: number
  /** What is read before and after, in nanoseconds: time, by default. */
  readonly clock?: () => number
}

/** Milliseconds that a row warms up for: by then engines have compiled what any library runs for a call. */
export const WARM_UP = 1_000

/** The part of a sample's calls that come before it. */
export const UNCOUNTED = 1 / 3

/** Milliseconds in which the threads of the row before have fallen asleep. */
export const SETTLE = 2

/**
 * A row of calls one after another, each awaited before the next. No sample begins with threads that have been asleep
 * while other rows were sampled: the first calls of each aren't measured.
 */
export function callRow(
  { name, role }: Peer,
  call: () => PromiseLike<unknown>,
  { expected, calls = 1, atLeast = 300, milliseconds = 30, clock = now }: CallSampling,
): Row {
  let times = 0

  /** How many calls a sample takes. */
  async function warmUp(): Promise<number> {
    deepStrictEqual(await call(), expected, `${name} gives a wrong result`)
    const deadline = performance.now() + WARM_UP
    while (performance.now() < deadline) await call()
    const started = performance.now()
    let done = 0
    while (performance.now() - started < milliseconds) {
      await call()
      done++
    }
    return done
  }

  return {
    name,
    role,
    async run() {
      times ||= Math.max(await warmUp(), atLeast)
      await pause(SETTLE)
      for (let i = 0; i < times * UNCOUNTED; i++) await call()
      const [from, started] = [clock(), performance.now()]
      for (let i = 0; i < times; i++) await call()
      const [to, took] = [clock(), performance.now() - started]
      const each = (to - from) / times / calls
      times = Math.max(Math.round((times * milliseconds) / took), atLeast)
      return each
    },
  }
}

const now = () => performance.now() * 1e6

/** The time that all processors have spent for this process, with all of its threads. */
export function processorTime(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) * 1000
}

/** So many calls at once. */
export const together = (calls: number, call: () => PromiseLike<unknown>) => () =>
  Promise.all(Array.from({ length: calls }, call))
