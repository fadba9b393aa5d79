import { BroadcastChannel, Worker } from 'node:worker_threads'
import { AdviseSource } from '@flatshare/advise-sink'
import { connect } from '@flatshare/apartment'
import { wrap } from 'comlink'
// @ts-expect-error it has no types of its own
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs'
import type { Benchmark } from '../benchmark.js'
import { type Created, floodRow } from './flood.js'
import type { Listening } from './listening.js'

/** The peers' names. */
const BROADCAST = 'BroadcastChannel'
const COMLINK = 'comlink: a callback'

/** A flood of events to so many listeners on one other thread. */
export async function adviseBenchmark(listeners: number): Promise<Benchmark> {
  const worker = new Worker(new URL('./listening.js', import.meta.url))
  const there = await connect<Listening>(worker)
  const counting = { expect: (events: number) => there.expect(events * listeners), heard: () => there.heard() }

  const source = new AdviseSource<{ created: Created }>({ events: ['created'] })
  for (const sink of await there.sinks(listeners)) source.advise('created', sink)

  const name = `flatshare ${process.pid}`
  await there.channels(name, listeners)
  const channel = new BroadcastChannel(name)

  const remote = wrap<{ listen(event: Created): void }>(nodeEndpoint(worker))
  const callbacks = Array.from({ length: listeners }, () => remote.listen)

  return {
    title: `Events to ${listeners === 1 ? 'a listener' : `${listeners} listeners`} on another thread: time for an event`,
    rows: [
      floodRow('AdviseSource', { send: (event) => source.raise('created', event), ...counting }),
      floodRow(BROADCAST, { send: (event) => channel.postMessage(event), ...counting }),
      floodRow(COMLINK, { send: (event) => callbacks.forEach((call) => void call(event)), ...counting }),
    ],
    goals: [
      { against: BROADCAST, faster: 10 },
      { against: COMLINK, faster: 10 },
    ],
    async close() {
      channel.close()
      await worker.terminate()
    },
  }
}
