/** A thread that unmarshals each packet that it is posted and answers with what became of it. */
import { parentPort } from 'node:worker_threads'
import { currentThread, marshal, unmarshal } from '@flatshare/core'

parentPort!.on('message', (message: { packet: unknown; echo?: boolean }) => {
  try {
    const value = unmarshal(message.packet)
    if (message.echo) {
      const [packet, transferList] = marshal(value)
      parentPort!.postMessage({ packet }, transferList)
    } else parentPort!.postMessage({ value, id: currentThread.id, name: currentThread.name })
  } catch (error) {
    parentPort!.postMessage({ error: String(error), id: currentThread.id })
  }
})
