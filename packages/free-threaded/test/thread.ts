import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { marshal } from '@flatshare/core'
import { onTestFinished } from 'vitest'

/** A thread that does jobs, one at a time; it ends with the test. */
export function startThread(module = './threads/worker.js') {
  const worker = new Worker(new URL(module, import.meta.url))
  onTestFinished(() => void worker.terminate())
  const ended = once(worker, 'exit')
  const order = (job: string, object: object, argument?: unknown): void => {
    const [packet, transferList] = marshal(object)
    worker.postMessage({ job, packet, argument }, transferList)
  }
  const answer = async (): Promise<any> => {
    const [said] = (await once(worker, 'message')) as [{ result?: unknown; error?: Error }]
    if (said.error) throw said.error
    return said.result ?? said
  }
  return {
    worker,
    ended,
    order,
    answer,
    async run(job: string, object: object, argument?: unknown): Promise<any> {
      const answered = answer()
      order(job, object, argument)
      return answered
    },
  }
}
