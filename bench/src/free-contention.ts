/** What the two threads of `free-contention.bench.ts` and `free-contention-reading.bench.ts` share, and do to it. */
import { FreeThreaded, Reads, Shared } from '@flatshare/free-threaded'
import { handWritten } from './lock-contention.js'

/** The loop of the other thread, 0 for none, and how often it has done it. Each in a cache line of its own. */
export const Cell = { loop: 0, rounds: 32 } as const

@FreeThreaded({ module: import.meta.url })
export class Point {
  @Shared('f64') x = 1
  @Shared('f64') y = 2

  add(amount: number): void {
    this.x += amount
  }

  sum(): number {
    return this.x + this.y
  }
}

/** A class of its own: where threads read together, a lock for writing has to look for them. */
@FreeThreaded({ module: import.meta.url })
export class ReadPoint {
  @Shared('f64') x = 1
  @Shared('f64') y = 2

  @Reads()
  sum(): number {
    return this.x + this.y
  }

  @Reads({ optimistic: true })
  sumOptimistic(): number {
    return this.x + this.y
  }
}

/** The same by hand: a mutex in the first word, the numbers behind. */
function pointByHand(memory: SharedArrayBuffer) {
  const exclusively = handWritten(new Int32Array(memory, 0, 1))
  const numbers = new Float64Array(memory)
  return {
    add(amount: number): void {
      exclusively(() => {
        numbers[1]! += amount
      })
    },
    sum(): number {
      let sum = 0
      exclusively(() => {
        sum = numbers[1]! + numbers[2]!
      })
      return sum
    },
  }
}

export const Loop = {
  addByHand: 1,
  add: 2,
  readByHand: 3,
  readExclusively: 4,
  readAmongReaders: 5,
  readOptimistically: 6,
} as const

export interface Subjects {
  readonly point: Point
  readonly readPoint: ReadPoint
  readonly memory: SharedArrayBuffer
  readonly cells: Int32Array
}

/** What a thread does so many times; `read` takes what it has found. */
export function loopsOf(
  { point, readPoint, memory }: Subjects,
  read: (sum: number) => void,
): ((times: number) => void)[] {
  const byHand = pointByHand(memory)
  const loops: ((times: number) => void)[] = []
  loops[Loop.addByHand] = (times) => {
    for (let i = 0; i < times; i++) byHand.add(1)
  }
  loops[Loop.add] = (times) => {
    for (let i = 0; i < times; i++) point.add(1)
  }
  loops[Loop.readByHand] = (times) => {
    let sum = 0
    for (let i = 0; i < times; i++) sum += byHand.sum()
    read(sum)
  }
  loops[Loop.readExclusively] = (times) => {
    let sum = 0
    for (let i = 0; i < times; i++) sum += point.sum()
    read(sum)
  }
  loops[Loop.readAmongReaders] = (times) => {
    let sum = 0
    for (let i = 0; i < times; i++) sum += readPoint.sum()
    read(sum)
  }
  loops[Loop.readOptimistically] = (times) => {
    let sum = 0
    for (let i = 0; i < times; i++) sum += readPoint.sumOptimistic()
    read(sum)
  }
  return loops
}
