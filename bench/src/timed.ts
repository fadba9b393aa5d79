/** A clock for `Row.run`, for what takes some nanoseconds: the loop is the caller's, so that it is compiled for it alone. */
export function timed(times: number, loop: (times: number) => void): Promise<number> {
  const started = process.hrtime.bigint()
  loop(times)
  return Promise.resolve(Number(process.hrtime.bigint() - started) / times)
}

const sink: { found?: unknown } = {}

/** So that no loop is optimised away: takes what it has found. */
export function keep(found: unknown): void {
  sink.found = found
}
