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

/** Sends a flood; gives the nanoseconds for each event until all listeners had heard of all. */
export async function flood({ send, expect, heard }: Sender): Promise<number> {
  await expect(EVENTS)
  const started = process.hrtime.bigint()
  for (let id = 0; id < EVENTS; id++) {
    send({ id, name: 'Inbox' })
    if (id % A_TURN === A_TURN - 1) await new Promise((resolve) => setImmediate(resolve))
  }
  await heard()
  return Number(process.hrtime.bigint() - started) / EVENTS
}
