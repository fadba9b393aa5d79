import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { marshal } from '@flatshare/core'
import type { Progress } from '@flatshare/progress'
import { onTestFinished } from 'vitest'
import type { Job } from './threads/reporter.js'

/** A thread that does a job with a progress. */
export interface ReporterThread {
  readonly worker: Worker
  /** Its next answer. */
  next(): Promise<any>
}

export function startThread(progress: Progress, job: Job, more: object = {}): ReporterThread {
  const [workerData, transferList] = marshal({ progress, job, ...more })
  const worker = new Worker(new URL('./threads/reporter.js', import.meta.url), { workerData, transferList })
  onTestFinished(() => void worker.terminate())
  const answers: unknown[] = []
  worker.on('message', (answer) => {
    answers.push(answer)
    worker.emit('answer')
  })
  return {
    worker,
    async next() {
      while (answers.length === 0) await once(worker, 'answer')
      return answers.shift()
    },
  }
}

/** The last of what a thread answers when it answers once. */
export async function run(progress: Progress, job: Job, more: object = {}): Promise<any> {
  return await startThread(progress, job, more).next()
}
