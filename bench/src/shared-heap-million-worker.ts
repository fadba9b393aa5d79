/** The other thread of `shared-heap-million.bench.ts`: adds up the ids of what it gets. */
import { parentPort } from 'node:worker_threads'
import { type Packet, unmarshal } from '@flatshare/core'
import { dispose, type SharedVector } from '@flatshare/free-threaded'
import type { Item, PlainItem } from './shared-heap-objects.js'
import './shared-heap-objects.js'

/** Whether this thread disposes of its handles. */
export type Handles = 'dispose' | 'leave'

export interface Task {
  readonly packet: Packet<SharedVector<Item, Item>>
  readonly handles: Handles
}

const parent = parentPort!

parent.on('message', (message: PlainItem[] | Task | 'collect') => {
  if (message === 'collect') {
    gc!()
    parent.postMessage('collected')
  } else parent.postMessage(Array.isArray(message) ? sumOfPlain(message) : sumOf(message))
})

function sumOfPlain(items: PlainItem[]): number {
  let sum = 0
  for (const { id } of items) sum += id
  return sum
}

function sumOf({ packet, handles }: Task): number {
  const letGo = handles === 'dispose' ? dispose : () => {}
  const items = unmarshal(packet)
  const { length } = items
  let sum = 0
  for (let i = 0; i < length; i++) {
    const item = items.get(i)!
    sum += item.id
    letGo(item)
  }
  letGo(items)
  return sum
}
