/** A thread that initialises and releases as it is told, one order at a time, and answers each. */
import { parentPort, workerData } from 'node:worker_threads'
import { currentThread, type Initialization, type InitializeOptions, initialize, unmarshal } from '@flatshare/core'
import { firstThread, notificationMode, onLastRelease } from '@flatshare/core/internal'

export type Order =
  | { do: 'initialize'; options?: InitializeOptions }
  | { do: 'release' }
  | { do: 'look' }
  | { do: 'hook' }
  | { do: 'end'; how: 'exit' | 'throw' | 'return' }

unmarshal(workerData)
const held: Initialization[] = []
let hooked = 0

async function obey(order: Order): Promise<unknown> {
  switch (order.do) {
    case 'initialize':
      held.push(initialize(order.options))
      return held.length
    case 'release':
      return await held.pop()!.release()
    case 'look':
      return { mode: notificationMode(), first: firstThread(), hooked }
    case 'hook':
      onLastRelease(() => {
        hooked++
        parentPort!.postMessage({ hooked })
      })
      return currentThread.id
    case 'end':
      if (order.how === 'exit') process.exit(0)
      parentPort!.close()
      if (order.how === 'throw') throw new Error('ended on purpose')
      return undefined
  }
}

parentPort!.on('message', (order: Order) => {
  obey(order).then(
    (result) => parentPort!.postMessage({ result }),
    (error: Error) => {
      if (order.do === 'end') throw error
      parentPort!.postMessage({ error: `${error.name}: ${error.message}` })
    },
  )
})
parentPort!.postMessage({ result: currentThread.id })
