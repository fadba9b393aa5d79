import type { Benchmark, Row, RowResult } from './benchmark.js'

export interface Effort {
  /** Rounds that are not counted: compilers and caches warm up. */
  readonly warmUp: number
  /** Rounds at least … */
  readonly atLeast: number
  /** … and at most, */
  readonly atMost: number
  /** within so many seconds. */
  readonly seconds: number
}

/** Samples the rows of a benchmark round robin, each round beginning with another row. */
export async function sample({ rows, beforeRound }: Benchmark, effort: Effort): Promise<RowResult[]> {
  const samples = rows.map((): number[] => [])
  for (let round = 0; round < effort.warmUp; round++) {
    await beforeRound?.()
    for (const row of rows) await row.run()
  }

  const deadline = performance.now() + effort.seconds * 1000
  for (let round = 0; round < effort.atMost; round++) {
    if (round >= effort.atLeast && performance.now() > deadline) break
    // No round pays for another's garbage. Not between its rows: a full collection drops code that wasn't run lately.
    globalThis.gc?.()
    await beforeRound?.()
    for (let turn = 0; turn < rows.length; turn++) {
      const index = (round + turn) % rows.length
      samples[index]!.push(await rows[index]!.run())
    }
  }
  return summarize(rows, samples)
}

function summarize(rows: readonly Row[], samples: number[][]): RowResult[] {
  const baseline = medianOf(samples[0] ?? [])
  return rows.map(({ name, role }, index) => {
    const own = samples[index]!
    const median = medianOf(own)
    const [minimum, maximum] = [Math.min(...own), Math.max(...own)]
    return { name, role, samples: own.length, minimum, median, maximum, ratio: median / baseline }
  })
}

function medianOf(samples: number[]): number {
  const sorted = [...samples].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
