/** A thread that made shared state of its own before its first packet came. */
import { parentPort, setEnvironmentData } from 'node:worker_threads'

// As if the thread that started this one had not imported Flatshare.
setEnvironmentData('@flatshare/core arena', undefined as never)
const { currentThread, unmarshal } = await import('@flatshare/core')
const early = parentPort!.postMessage.bind(parentPort!)

parentPort!.on('message', (message: { packet: unknown; joinFirst: boolean }) => {
  try {
    if (message.joinFirst) void currentThread.id
    early({ value: unmarshal(message.packet) })
  } catch (error) {
    early({ error: String(error) })
  }
})
