/**
 * Threads that do everything to everything at once, and are killed at any moment; then everything must be whole, and
 * all memory free again.
 *
 * The driver counts the operations that threads report, and kills the one that reported last whenever some number of
 * them is reached: so at moments that no clock decides, in the middle of what comes next.
 */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { marshal } from '@flatshare/core'
import { settleExits } from '@flatshare/core/internal'
import { collectGarbage, dispose, heapStatistics, SharedQueue } from '@flatshare/free-threaded'
import { random } from '../../../core/dist-test/random.js'
import { World } from './world.js'

const THREADS = 4
const thread = new URL('../threads/soak.js', import.meta.url)

export interface SoakOptions {
  readonly operations: number
  readonly kills: number
  readonly seed: number
}

/** What the heap holds in the end, more than in the beginning; and how many threads were killed. */
export interface SoakResult {
  readonly objects: number
  readonly bytesUsed: number
  readonly kills: number
}

export async function soak({ operations, kills, seed }: SoakOptions): Promise<SoakResult> {
  warmUp()
  const before = used()
  const world = new World()
  world.fill()
  const next = random(seed)
  const stop = new Int32Array(new SharedArrayBuffer(4))
  const errors: unknown[] = []
  let done = 0
  let killed = 0
  let started = 0
  const every = operations / (kills + 1)

  const run = async (): Promise<void> => {
    while (Atomics.load(stop, 0) === 0) {
      const worker = new Worker(thread)
      order(worker, world, { seed: ++started, stop })
      worker.on('error', (error) => {
        errors.push(error)
        Atomics.store(stop, 0, 1)
      })
      worker.on('message', (count: number) => {
        done += count
        if (done >= operations) Atomics.store(stop, 0, 1)
        else if (done >= every * (killed + 1)) {
          killed++
          // Now, or a little later: by then it does something else.
          let turns = next(20)
          const kill = () => void (turns-- > 0 ? setImmediate(kill) : worker.terminate())
          kill()
        }
      })
      await once(worker, 'exit').catch(() => {})
    }
  }
  await Promise.all(Array.from({ length: THREADS }, run))
  if (errors.length > 0) throw errors[0]

  // By another thread, whose handles go with it.
  const checker = new Worker(thread)
  order(checker, world, { seed: 0, stop })
  await once(checker, 'exit')
  await settleExits()
  world.dispose()
  collectGarbage()
  const after = used()
  return { objects: after.objects - before.objects, bytesUsed: after.bytesUsed - before.bytesUsed, kills: killed }
}

function order(worker: Worker, world: World, rest: { seed: number; stop: Int32Array }): void {
  const packets = world.parts().map((part) => marshal(part))
  worker.postMessage(
    { packets: packets.map(([packet]) => packet), ...rest },
    packets.flatMap(([, transfer]) => transfer),
  )
}

/** What each thread keeps for its own ends is made before anything is counted. */
function warmUp(): void {
  const queue = new SharedQueue({ of: 'string', capacity: 1 })
  queue.putSync('a')
  queue.takeSync()
  dispose(queue)
}

function used() {
  const { objects, bytesUsed } = heapStatistics()
  return { objects, bytesUsed }
}
