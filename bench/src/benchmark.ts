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
  /** What the first row shall reach. */
  readonly goals?: readonly Goal[]
  /** That no other row shall be faster is a goal, too; those of a `role` and those that a goal sets a limit for apart. */
  readonly noneFaster?: boolean
  /** Runs before each round of samples. */
  beforeRound?(): Promise<void>
  /** Ends what the rows started: threads, ports. The run doesn't end before them. */
  close?(): void | Promise<void>
}

/** So many times faster than another row, or within so many times its time. */
export type Goal =
  | { readonly against: string; readonly faster: number }
  | { readonly against: string; readonly within: number }

export interface Row {
  readonly name: string
  /** `'limit'`: no peer, what the machine allows. `'variant'`: the first row's library, set otherwise. */
  readonly role?: 'limit' | 'variant' | undefined
  /** Takes one sample, of some milliseconds at least, and answers with its nanoseconds per operation. */
  run(): Promise<number>
}

/** What the samples of one row say, in nanoseconds per operation. */
export interface RowResult {
  readonly name: string
  readonly role?: Row['role']
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
