/**
 * One table of the benchmarks: what a module `*.bench.ts` exports by default.
 *
 * The rows are sampled in turns, so that what disturbs the machine for a while disturbs all of them alike. The first
 * row is the one that the others are compared with.
 *
 * @example
 * export default {
 *   title: 'uncontended lock and unlock',
 *   rows: [{ name: 'Mutex', run: async () => nanosecondsEach(100_000, () => mutex.runBlocking(() => {})) }],
 * } satisfies Benchmark
 */
export interface Benchmark {
  readonly title: string
  readonly rows: readonly Row[]
  /** Ends what the rows started: threads, ports. The run doesn't end before them. */
  close?(): void | Promise<void>
}

export interface Row {
  readonly name: string
  /** Takes one sample, of some milliseconds at least, and answers with its nanoseconds per operation. */
  run(): Promise<number>
}

/** What the samples of one row say, in nanoseconds per operation. */
export interface RowResult {
  readonly name: string
  readonly samples: number
  readonly minimum: number
  readonly median: number
  readonly maximum: number
  /** The median, in medians of the first row: 2 is twice as long. */
  readonly ratio: number
}

/** A clock for `Row.run`: calls `operation` so many times and gives nanoseconds per call. Waits for each promise. */
export async function nanosecondsEach(times: number, operation: () => unknown): Promise<number> {
  const started = process.hrtime.bigint()
  for (let i = 0; i < times; i++) {
    const pending = operation()
    if (pending instanceof Promise) await pending
  }
  return Number(process.hrtime.bigint() - started) / times
}
