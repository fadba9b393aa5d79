// A thread that does operations by chance: see `model.test.ts`.
import { parentPort } from 'node:worker_threads'
import { unmarshal } from '@flatshare/core'
import type { SharedVector } from '@flatshare/free-threaded'
import { random } from '../../../core/dist-test/random.js'
import { type Clock, chosenOp, type Done, doTo, type Everything, HOWS } from '../everything.js'

export interface Share {
  readonly seed: number
  readonly count: number
  readonly clock: Clock
}

/** What one thread does of a run. */
export async function doShare(
  objects: SharedVector<Everything | null>,
  { seed, count, clock }: Share,
): Promise<Done[]> {
  const pool = objects.slice() as unknown as Everything[]
  const next = random(seed)
  const done: Done[] = []
  for (let i = 0; i < count; i++) {
    const op = chosenOp(next, pool.length)
    done.push(await doTo(pool, op, HOWS[next(HOWS.length)]!, clock))
  }
  return done
}

parentPort?.on('message', async ({ packet, argument }: { packet: unknown; argument: Share }) => {
  try {
    const objects = unmarshal<SharedVector<Everything | null>>(packet as never)
    parentPort!.postMessage({ result: await doShare(objects, argument) })
  } catch (error) {
    parentPort!.postMessage({ error })
  }
})
