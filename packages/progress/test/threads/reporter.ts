/** A thread that does with a progress what it was told, and says what came of it. */
import { BroadcastChannel, MessagePort, parentPort, Worker, workerData } from 'node:worker_threads'
import { unmarshal } from '@flatshare/core'
import { Progress, type ProgressSnapshot } from '@flatshare/progress'

export type Job =
  | { do: 'advance'; times: number; step?: number }
  | { do: 'advance until cancelled' }
  | { do: 'busy until cancelled' }
  | { do: 'wait for signal' }
  | { do: 'wait for any signal' }
  | { do: 'watch'; interval: number }
  | { do: 'children'; parts: number; items: number }
  | { do: 'cancel'; reason?: string }
  | { do: 'identity' }
  | { do: 'change limits'; between: Array<[min: number, max: number]> }
  | { do: 'raise a limit'; which: 'min' | 'max'; from: number; times: number }
  | { do: 'report'; values: number[] }
  | { do: 'never' }
  | { do: 'read until done' }
  | { do: 'mix'; times: number; total: number }
  | { do: 'count messages'; times: number }

const { progress, again, job } = unmarshal<{ progress: Progress; again?: Progress; job: Job }>(workerData)
const answer = (value: unknown) => parentPort!.postMessage(value)

switch (job.do) {
  case 'advance': {
    let go = true
    for (let i = 0; i < job.times; i++) go = progress.advance(job.step ?? 1)
    answer(go)
    break
  }
  case 'advance until cancelled': {
    answer('started')
    let reports = 0
    while (progress.advance()) reports++
    answer({ reports, cancelled: progress.cancelled, advance: progress.advance(), report: progress.report(5, 1, 10) })
    break
  }
  case 'busy until cancelled': {
    answer('started')
    let loops = 0
    while (!progress.cancelled) loops++
    answer(loops)
    break
  }
  case 'wait for signal': {
    const { signal } = progress
    const stay = setInterval(() => {}, 1 << 30)
    signal.addEventListener('abort', () => {
      clearInterval(stay)
      const reason = signal.reason as Error & { disk?: string }
      answer({ name: reason.name, message: reason.message, disk: reason.disk, isError: reason instanceof Error })
    })
    answer('started')
    break
  }
  case 'wait for any signal': {
    const signal = AbortSignal.any([new AbortController().signal, progress.signal])
    const stay = setInterval(() => {}, 1 << 30)
    signal.addEventListener('abort', () => {
      clearInterval(stay)
      answer((signal.reason as Error).message)
    })
    answer('started')
    break
  }
  case 'watch': {
    const seen: ProgressSnapshot[] = []
    for await (const now of progress.watch({ interval: job.interval })) {
      if (seen.length === 0) answer('started')
      seen.push(now)
    }
    answer(seen)
    break
  }
  case 'read until done': {
    answer('started')
    // Nobody but the readers looks how far it is: they see every step that there is to see.
    const faults: string[] = []
    let last = progress.value
    for (let ended = false; !ended; ) {
      ended = progress.value === progress.max
      const { value, min, max } = progress
      if (value < last || value < min || value > max) faults.push(`${value} after ${last}`)
      last = value
    }
    answer(faults)
    break
  }
  case 'mix': {
    for (let i = 1; i <= job.times; i++) {
      if (i % 3 === 0) progress.report(1 + Math.floor((i * 900) / job.times), i, job.total)
      else if (i % 3 === 1) progress.advance()
      else void progress.value
    }
    answer(progress.value)
    break
  }
  case 'count messages': {
    // By whatever port or worker of this thread.
    let messages = 0
    for (const Class of [MessagePort, Worker, BroadcastChannel] as Array<{ prototype: { postMessage: unknown } }>) {
      const post = Class.prototype.postMessage as (...args: unknown[]) => unknown
      Class.prototype.postMessage = function (this: unknown, ...args: unknown[]) {
        messages++
        return Reflect.apply(post, this, args)
      }
    }
    const part = progress.child({ items: job.times })
    for (let i = 0; i < job.times; i++) {
      part.advance()
      progress.report(i, i, 10 * job.times)
      void [progress.value, progress.cancelled, progress.signal.aborted]
    }
    const sent = messages
    parentPort!.postMessage('the one that is counted')
    answer([sent, messages])
    break
  }
  case 'children': {
    for (let part = 0; part < job.parts; part++) {
      const child = progress.child({ items: job.items })
      for (let i = 0; i < job.items; i++) child.advance()
    }
    answer('done')
    break
  }
  case 'cancel':
    progress.cancel(job.reason && Object.assign(new RangeError(job.reason), { disk: 'C' }))
    answer('done')
    break
  case 'identity':
    answer({ same: progress === again, isProgress: progress instanceof Progress, label: progress.label })
    break
  case 'change limits':
    answer('started')
    while (!progress.cancelled) for (const [min, max] of job.between) progress.setLimits(min, max)
    answer('done')
    break
  case 'raise a limit':
    for (let i = job.from; i <= job.from + job.times; i++) {
      if (job.which === 'min') progress.setLimits(i)
      else progress.setLimits(null, i)
    }
    answer('done')
    break
  case 'report':
    for (const value of job.values) progress.report(value, 0, 0)
    answer('done')
    break
  case 'never':
    answer('started')
    setInterval(() => {}, 1 << 30)
}
