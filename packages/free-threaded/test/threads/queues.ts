// A thread that uses queues: see `queue.test.ts`.
import { parentPort } from 'node:worker_threads'
import { QueueClosedError, type SharedQueue } from '@flatshare/free-threaded'
import '../classes.js'
import { random } from '../../../core/dist-test/random.js'
import { type Jobs, serveJobs } from './jobs.js'

export type QueueOp = { readonly put: number } | 'take' | 'size'

export interface RecordedOp {
  readonly op: QueueOp
  readonly result: unknown
  readonly began: number
  readonly ended: number
}

interface Recording {
  readonly clock: Int32Array
  readonly seed: number
  readonly calls: number
}

interface Production {
  readonly producer: number
  readonly count: number
}

const begun = () => parentPort!.postMessage({ result: 'begun' })

const jobs = {
  record(queue: SharedQueue<number>, { clock, seed, calls }: Recording): RecordedOp[] {
    const next = random(seed)
    const history: RecordedOp[] = []
    for (let i = 0; i < calls; i++) {
      const chosen = next(7)
      const op: QueueOp = chosen < 3 ? { put: seed * 1000 + i } : chosen < 6 ? 'take' : 'size'
      const began = Atomics.add(clock, 0, 1)
      const result = op === 'take' ? queue.tryTake() : op === 'size' ? queue.size : queue.tryPut(op.put)
      history.push({ op, result, began, ended: Atomics.add(clock, 0, 1) })
    }
    return history
  },
  /** Puts its numbers, blocking and awaiting by turns. */
  async produce(queue: SharedQueue<string>, { producer, count }: Production) {
    for (let i = 0; i < count; i++) {
      const element = `${producer} ${i}`
      if (i % 3 === 0) await queue.put(element)
      else if (i % 3 === 1) queue.putSync(element)
      else if (!queue.tryPut(element)) await queue.put(element)
    }
  },
  async consume(queue: SharedQueue<string>) {
    const taken: string[] = []
    for (let i = 0; ; i++) {
      const element = i % 2 === 0 ? await queue.take() : queue.takeSync()
      if (element === undefined) return taken
      taken.push(element)
    }
  },
  async iterate(queue: SharedQueue<string>) {
    const taken: string[] = []
    for await (const element of queue) taken.push(element)
    return taken
  },
  /** Many takers of one thread, which wait at the same time. */
  async consumeAtOnce(queue: SharedQueue<string>) {
    const taken: string[] = []
    const one = async () => {
      for await (const element of queue) taken.push(element)
    }
    await Promise.all([one(), one(), one()])
    return taken
  },
  take: (queue: SharedQueue<unknown>) => queue.takeSync(),
  takeAwaiting: (queue: SharedQueue<unknown>) => queue.take(),
  put: (queue: SharedQueue<unknown>, value: unknown) => queue.putSync(value),
  putOwn: (queue: SharedQueue<unknown>, value: unknown) => {
    queue.putSync(value)
    return queue.takeSync()
  },
  async putRefused(queue: SharedQueue<unknown>) {
    begun()
    try {
      queue.putSync('late')
    } catch (error) {
      return error instanceof QueueClosedError && error.message
    }
    return 'put'
  },
  /** Of two queues in a queue, it puts into the second what it takes from the first. */
  echo(queues: SharedQueue<any>) {
    const [queue, back] = queues.drain() as [SharedQueue<any>, SharedQueue<any>]
    for (let value = queue.takeSync(); value !== undefined; value = queue.takeSync()) back.putSync(value)
  },
  same: (queue: SharedQueue<unknown>) => `${queue.name} ${queue.capacity} ${queue.size} ${queue.isClosed}`,
  /** Says that it waits next, then waits until it is killed. */
  async waitForEver(queue: SharedQueue<unknown>, how: 'takeSync' | 'take' | 'put') {
    begun()
    if (how === 'take') await queue.take()
    else if (how === 'put') await queue.put('of the dead')
    else queue.takeSync()
    parentPort!.postMessage({ result: 'served' })
  },
  /** Puts and takes what says twice who made it, until it is killed. */
  async churn(queue: SharedQueue<unknown>, seed: number) {
    const next = random(seed)
    begun()
    for (let i = 0; ; i++) {
      const made = `${seed} ${i}`
      const chosen = next(8)
      if (chosen === 0) await queue.put({ made, again: made })
      else if (chosen === 1) await queue.take({ timeout: 5 }).catch(() => {})
      else if (chosen < 4) queue.tryPut({ made, again: made })
      else if (chosen < 6) queue.tryTake()
      else if (chosen === 6) queue.drain(3)
      else queue.toJSON()
    }
  },
} satisfies Jobs

serveJobs(jobs)
