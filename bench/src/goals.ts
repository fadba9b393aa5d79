import type { Benchmark, Goal, RowResult } from './benchmark.js'

/** How a goal was reached, by the medians. */
export interface GoalResult {
  /** The benchmark's name. */
  readonly benchmark: string
  /** The row that the first was compared with. */
  readonly against: string
  /** What was wanted: so many times `'faster'`, or `'within'` so many times its time. */
  readonly kind: 'faster' | 'within'
  readonly wanted: number
  /** What was reached, in the same terms. */
  readonly reached: number
  readonly met: boolean
}

/** What has become of a benchmark's goals; last, where it is one, that no peer is faster: the fastest counts. */
export function judge(
  benchmark: string,
  { goals = [], noneFaster }: Pick<Benchmark, 'goals' | 'noneFaster'>,
  rows: readonly RowResult[],
): GoalResult[] {
  const results = goals.flatMap((goal) => {
    const row = rows.find(({ name }) => name === goal.against)
    return row ? judgeOne(benchmark, goal, row) : []
  })
  const limited = new Set(goals.flatMap((goal) => ('within' in goal ? goal.against : [])))
  const peers = rows.slice(1).filter(({ name, role }) => role === undefined && !limited.has(name))
  const fastest = peers.sort((a, b) => a.median - b.median)[0]
  if (noneFaster && fastest) results.push(judgeOne(benchmark, { against: fastest.name, faster: 1 }, fastest))
  return results
}

function judgeOne(benchmark: string, goal: Goal, { ratio }: RowResult): GoalResult {
  const { against } = goal
  return 'faster' in goal
    ? { benchmark, against, kind: 'faster', wanted: goal.faster, reached: ratio, met: ratio >= goal.faster }
    : { benchmark, against, kind: 'within', wanted: goal.within, reached: 1 / ratio, met: 1 / ratio <= goal.within }
}
