import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { marshal } from '@flatshare/core'
import { settleExits } from '@flatshare/core/internal'
import { collectGarbage, dispose, heapStatistics, SharedVector } from '@flatshare/free-threaded'
import { expect, test } from 'vitest'
import { SoakNode } from './world.js'

test('a million objects are made, shared and reclaimed', async () => {
  const count = 1_000_000
  const before = heapStatistics()
  const nodes = new SharedVector({ of: SoakNode })
  for (let i = 0; i < count; i++) {
    const node = new SoakNode()
    node.set(i)
    nodes.push(node)
    dispose(node)
  }
  expect(heapStatistics().objects - before.objects).toBe(count + 1)
  const worker = new Worker(new URL('../threads/soak-objects.js', import.meta.url))
  const [packet, transferList] = marshal(nodes)
  worker.postMessage(packet, transferList)
  const [sum] = (await once(worker, 'message')) as [number]
  expect(sum).toBe((count * (count - 1)) / 2)
  await once(worker, 'exit')
  await settleExits()
  dispose(nodes)
  collectGarbage()
  const after = heapStatistics()
  expect(after.objects - before.objects).toBe(0)
  expect(after.bytesUsed - before.bytesUsed).toBe(0)
})
