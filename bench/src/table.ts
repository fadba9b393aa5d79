import type { RowResult } from './benchmark.js'
import type { GoalResult } from './goals.js'

/** A table for people: a line for each row, ratios against the first. */
export function table(title: string, rows: readonly RowResult[]): string {
  return print(title, [
    ['', 'median', 'from', 'to', 'ratio'],
    ...rows.map(({ name, median, minimum, maximum, ratio }) => [
      name,
      duration(median),
      duration(minimum),
      duration(maximum),
      `${ratio.toFixed(2)} ×`,
    ]),
  ])
}

/** A line for each goal. */
export function goalsTable(goals: readonly GoalResult[]): string {
  return print('Goals: Flatshare against the peer that a goal names, or else the fastest', [
    ['', 'against', 'wanted', 'reached', ''],
    ...goals.map(({ benchmark, against, kind, wanted, reached, met }) => [
      benchmark,
      against,
      kind === 'faster' ? `${wanted} × faster` : `within ${wanted} ×`,
      `${Number(reached.toPrecision(3))} ×`,
      met ? 'met' : 'not met',
    ]),
  ])
}

/** A line for each benchmark with goals, a column for each row of any: how many times as long as the first it takes. */
export function peersTable(results: ReadonlyArray<{ name: string; rows: readonly RowResult[] }>): string {
  const rows = results.flatMap(({ rows }) => rows.slice(1)).filter(({ role }) => role !== 'variant')
  const names = [...new Set(rows.map(({ name }) => name))]
  return print('Peers: how many times as long as Flatshare each takes', [
    ['', ...names],
    ...results.map(({ name, rows }) => [
      name,
      ...names.map((name) => {
        const row = rows.find((row) => row.name === name)
        return row ? `${Number(row.ratio.toPrecision(3))} ×` : ''
      }),
    ]),
  ])
}

function print(title: string, lines: readonly string[][]): string {
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)))
  const printed = lines.map((line) =>
    line.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]! + 2))).join(''),
  )
  return `${title}\n${printed.map((line) => `  ${line}`).join('\n')}\n`
}

/** Nanoseconds with three digits and a unit. */
function duration(nanoseconds: number): string {
  const [divisor, unit] = nanoseconds < 1e3 ? [1, 'ns'] : nanoseconds < 1e6 ? [1e3, 'µs'] : [1e6, 'ms']
  return `${Number((nanoseconds / divisor).toPrecision(3))} ${unit}`
}
