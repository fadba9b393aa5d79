/** A flood of events, from this thread to listeners on another one: what each way of sending them must do. */

import type { Row } from '../benchmark.js'
import { UNCOUNTED, WARM_UP } from '../call/call-row.js'

/** What an event carries. */
export interface Created {
  readonly id: number
  readonly name: string
}

/** A flood is so many events, raised in turns of so many each: the event loop of the raising thread goes on between. */
const EVENTS = 40_000
const A_TURN = 4_000
/** A sample is so many floods that they take about so many milliseconds, as those of calls do. */
const SAMPLE = 30

/** One way of sending events, with its listeners in place. */
export interface Sender {
  send(event: Created): unknown
  /** Says that so many events are to come. */
  expect(events: number): Promise<unknown>
  /** Resolves when each listener has heard of all of them. */
  heard(): Promise<unknown>
}

/**
 * A row of floods, each from its first event until all listeners have heard of all; a sample is the nanoseconds for an
 * event. As with calls, no sample begins with threads that have been asleep while other rows were sampled.
 */
export function floodRow(name: string, sender: Sender): Row {
  let floods = 0

  async function warmUp(): Promise<void> {
    const deadline = performance.now() + WARM_UP
    while (performance.now() < deadline) await sendAll(sender, A_TURN)
    floods = 1
  }

  return {
    name,
    async run() {
      if (floods === 0) await warmUp()
      // No flood is longer: a queue holds no more than 65,536 events.
      const uncounted = A_TURN * Math.ceil((floods * UNCOUNTED * EVENTS) / A_TURN)
      for (let sent = 0; sent < uncounted; sent += EVENTS) await sendAll(sender, Math.min(EVENTS, uncounted - sent))
      const started = performance.now()
      for (let i = 0; i < floods; i++) await sendAll(sender, EVENTS)
      const took = performance.now() - started
      const each = (took * 1e6) / floods / EVENTS
      floods = Math.max(Math.round((floods * SAMPLE) / took), 1)
      return each
    },
  }
}

/** Resolves when all listeners have heard of so many events. */
async function sendAll({ send, expect, heard }: Sender, events: number): Promise<void> {
  await expect(events)
  for (let first = 0; first < events; first += A_TURN) {
    sendSome(send, first, first + A_TURN)
    await new Promise((resolve) => setImmediate(resolve))
  }
  await heard()
}

/** One turn's. As a function of its own: a loop that is left by an `await` would be compiled anew with each flood. */
function sendSome(send: Sender['send'], first: number, end: number): void {
  for (let id = first; id < end; id++) send({ id, name: 'Inbox' })
}
