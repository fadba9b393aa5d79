import type { RowResult } from './benchmark.js'

/** A table for people: a line for each row, ratios against the first. */
export function table(title: string, rows: readonly RowResult[]): string {
  const lines = [
    ['', 'median', 'from', 'to', 'ratio'],
    ...rows.map(({ name, median, minimum, maximum, ratio }) => [
      name,
      duration(median),
      duration(minimum),
      duration(maximum),
      `${ratio.toFixed(2)} ×`,
    ]),
  ]
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)))
  const print = (line: string[]) =>
    line.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]! + 2))).join('')
  return `${title}\n${lines.map((line) => `  ${print(line)}`).join('\n')}\n`
}

/** Nanoseconds with three digits and a unit. */
function duration(nanoseconds: number): string {
  const [divisor, unit] = nanoseconds < 1e3 ? [1, 'ns'] : nanoseconds < 1e6 ? [1e3, 'µs'] : [1e6, 'ms']
  return `${Number((nanoseconds / divisor).toPrecision(3))} ${unit}`
}
