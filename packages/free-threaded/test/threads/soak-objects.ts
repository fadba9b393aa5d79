// A thread that looks at each of very many objects: see `soak/objects.soak.ts`.
import { parentPort } from 'node:worker_threads'
import { unmarshal } from '@flatshare/core'
import type { SharedVector } from '@flatshare/free-threaded'
import type { SoakNode } from '../soak/world.js'
import '../soak/world.js'

parentPort!.once('message', (packet) => {
  const nodes = unmarshal<SharedVector<SoakNode | null>>(packet)
  let sum = 0
  for (let i = 0; i < nodes.length; i++) {
    const node = nodes.get(i) as SoakNode
    node.check()
    sum += node.n
  }
  parentPort!.postMessage(sum)
})
