/** Runs the loops of `free-contention.ts` on this thread, alone or beside a second one that does the same. */
import { Worker } from 'node:worker_threads'
import { marshal } from '@flatshare/core'
import { dispose } from '@flatshare/free-threaded'
import { Cell, loopsOf, Point, ReadPoint, type Subjects } from './free-contention.js'
import { keep, timed } from './timed.js'

const ROUNDS = 200_000

export interface Threads {
  /** Nanoseconds for each round of this thread, while the other one sleeps. */
  alone(loop: number): () => Promise<number>
  /** Nanoseconds for each round of either, while both do it as often as they can. */
  together(loop: number): () => Promise<number>
  close(): Promise<void>
}

export function startThreads(): Threads {
  const cells = new Int32Array(new SharedArrayBuffer(256))
  const subjects: Subjects = {
    point: new Point(),
    readPoint: new ReadPoint(),
    memory: new SharedArrayBuffer(64),
    cells,
  }
  const loops = loopsOf(subjects, keep)
  const [packet, transferList] = marshal(subjects)
  const worker = new Worker(new URL('./free-contention-partner.js', import.meta.url), {
    workerData: packet,
    transferList,
  })
  const rounds = () => Atomics.load(cells, Cell.rounds)

  /** The other one may be starting, or asleep. */
  async function nextRounds(): Promise<number> {
    const before = rounds()
    while (rounds() === before) await new Promise((resolve) => setImmediate(resolve))
    return rounds()
  }

  return {
    alone: (loop) => () => timed(ROUNDS, loops[loop]!),
    together: (loop) => async () => {
      Atomics.store(cells, Cell.loop, loop)
      Atomics.notify(cells, Cell.loop)
      const others = await nextRounds()
      const each = await timed(ROUNDS, loops[loop]!)
      const total = ROUNDS + rounds() - others
      Atomics.store(cells, Cell.loop, 0)
      return (each * ROUNDS) / total
    },
    async close() {
      await worker.terminate()
      dispose(subjects.point)
      dispose(subjects.readPoint)
    },
  }
}
