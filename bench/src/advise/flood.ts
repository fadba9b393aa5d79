/** A flood of events, from this thread to listeners on another one: what each way of sending them must do. */

/** What an event carries. */
export interface Created {
  readonly id: number
  readonly name: string
}

/** A sample is so many events, raised in turns of so many each: the event loop of the raising thread goes on between. */
const EVENTS = 40_000
const A_TURN = 4_000

/** One way of sending events, with its listeners in place. */
export interface Sender {
  send(event: Created): unknown
  /** Says that so many events are to come. */
  expect(events: number): Promise<unknown>
  /** Resolves when each listener has heard of all of them. */
  heard(): Promise<unknown>
}

/**
 * Milliseconds of events that come before a sample and aren't measured: as with calls, no sample begins with threads that
 * have been asleep while other rows were sampled.
 */
const UNCOUNTED = 15

/** Sends a flood; gives the nanoseconds for each event until all listeners had heard of all. */
export async function flood(sender: Sender): Promise<number> {
  const deadline = performance.now() + UNCOUNTED
  while (performance.now() < deadline) await sendAll(sender, A_TURN)
  const started = process.hrtime.bigint()
  await sendAll(sender, EVENTS)
  return Number(process.hrtime.bigint() - started) / EVENTS
}

/** Resolves when all listeners have heard of so many events. */
async function sendAll({ send, expect, heard }: Sender, events: number): Promise<void> {
  await expect(events)
  for (let id = 0; id < events; id++) {
    send({ id, name: 'Inbox' })
    if (id % A_TURN === A_TURN - 1) await new Promise((resolve) => setImmediate(resolve))
  }
  await heard()
}
