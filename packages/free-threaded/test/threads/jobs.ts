/** The other end of `startThread`: a thread that does jobs by name. */
import { parentPort } from 'node:worker_threads'
import { unmarshal } from '@flatshare/core'

/** What a thread can do: each job is given an object that has crossed, and an argument. */
export type Jobs = Record<string, (object: any, argument: any) => unknown>

interface Order {
  readonly job: string
  readonly packet: unknown
  readonly argument: unknown
}

/** Does each job that is ordered, and answers with its result or its error. */
export function serveJobs(jobs: Jobs): void {
  parentPort!.on('message', async ({ job, packet, argument }: Order) => {
    try {
      parentPort!.postMessage({ result: (await jobs[job]!(unmarshal<any>(packet), argument)) ?? null })
    } catch (error) {
      parentPort!.postMessage({ error })
    }
  })
}
