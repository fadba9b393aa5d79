/** A thread that answers whoever is introduced to it; `workerData` may ask it to accept only when it is told. */
import { parentPort, workerData } from 'node:worker_threads'
import { currentThread, unmarshal } from '@flatshare/core'
import { introduce, onIntroduction } from '@flatshare/core/internal'

const { late } = unmarshal<{ late: boolean }>(workerData)

const accept = () =>
  onIntroduction((from, port) => {
    port.postMessage({ from, to: currentThread.id })
    // A port keeps the thread alive while something listens.
    ;(port as import('node:worker_threads').MessagePort).on('message', () => {})
  })

if (!late) accept()
parentPort!.on('message', (message: { accept?: true; block?: SharedArrayBuffer; meet?: number }) => {
  if (message.accept) accept()
  if (message.meet) {
    const { port1, port2 } = new MessageChannel()
    port1.postMessage('hello')
    introduce(message.meet, port2)
  }
  if (message.block) {
    const cells = new Int32Array(message.block)
    Atomics.store(cells, 0, 1)
    Atomics.notify(cells, 0)
    Atomics.wait(cells, 1, 0)
  }
})
parentPort!.postMessage(currentThread.id)
