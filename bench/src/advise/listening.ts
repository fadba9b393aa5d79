/** The other thread of the benchmarks of events: listeners of every kind, which count. */
import { BroadcastChannel, parentPort } from 'node:worker_threads'
import type { AdviseSource } from '@flatshare/advise-sink'
import { serve } from '@flatshare/apartment'
import { expose } from 'comlink'
// @ts-expect-error it has no types of its own
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs'
import type { Created } from './flood.js'

let left = 0
let all = Promise.resolve()
let heardAll = () => {}

const take = (events: number) => {
  if ((left -= events) === 0) heardAll()
}

let ids = 0
/** One that nobody holds is collected. */
const channels: BroadcastChannel[] = []
const listen = ({ id }: Created) => {
  ids += id
  take(1)
}

const listening = {
  /** So many events, for all listeners together, are to come. */
  expect(events: number): void {
    left = events
    all = new Promise((resolve) => {
      heardAll = resolve
    })
  },
  heard: () => all,
  sum: () => ids,
  sinks: (count: number) =>
    Array.from({ length: count }, () => (batch: ReadonlyArray<{ readonly payload: Created }>) => {
      for (const { payload } of batch) ids += payload.id
      take(batch.length)
    }),
  channels(name: string, count: number): void {
    for (let i = 0; i < count; i++) {
      const channel = new BroadcastChannel(name)
      channel.onmessage = (message) => listen((message as { data: Created }).data)
      channels.push(channel)
    }
  },
}

export type Listening = typeof listening
export type Source = AdviseSource<{ created: Created }>

serve(listening)
expose({ listen }, nodeEndpoint(parentPort))
