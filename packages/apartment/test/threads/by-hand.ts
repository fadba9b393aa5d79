/** A worker that somebody else started: it gets packets by hand and uses what is in them. */
import { parentPort } from 'node:worker_threads'
import { marshal, unmarshal } from '@flatshare/core'
import '@flatshare/apartment'

let kept: any

parentPort!.on('message', async ({ action, packet }: { action: string; packet: unknown }) => {
  try {
    const x: any = packet === undefined ? undefined : unmarshal(packet)
    if (action === 'add') parentPort!.postMessage({ result: await x.add(5) })
    else if (action === 'deposit') parentPort!.postMessage({ result: await x.deposit(5) })
    else if (action === 'call') parentPort!.postMessage({ result: await x('from afar') })
    else if (action === 'same') parentPort!.postMessage({ result: x === kept })
    else if (action === 'keep') {
      kept = x
      parentPort!.postMessage({})
    } else if (action === 'back') {
      const [back, transferList] = marshal(kept)
      parentPort!.postMessage({ packet: back }, transferList)
    }
  } catch (error) {
    parentPort!.postMessage({ error: String(error) })
  }
})
