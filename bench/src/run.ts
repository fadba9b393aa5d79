// `npm run bench [-- NAME …] [--quick]`: runs every `*.bench.ts` (or those whose path, or file's name, begins with a
// NAME: `call`, `call/blocking`, `free-field`), prints a table for each and what has become of their goals, and leaves
// all numbers in bench/results.json.
import { readdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Benchmark, RowResult } from './benchmark.js'
import { type GoalResult, judge } from './goals.js'
import { type Effort, sample } from './sample.js'
import { goalsTable, peersTable, table } from './table.js'

const { values, positionals } = parseArgs({ allowPositionals: true, options: { quick: { type: 'boolean' } } })
const thorough: Effort = { warmUp: 2, atLeast: 7, atMost: 51, seconds: 10 }
const quick: Effort = { warmUp: 1, atLeast: 3, atMost: 3, seconds: 0 }

const here = fileURLToPath(new URL('.', import.meta.url))
const modules = readdirSync(here, { recursive: true, encoding: 'utf8' })
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => path.endsWith('.bench.js') && (positionals.length === 0 || positionals.some(names(path))))
  .sort()

const processors = cpus()
const machine = { node: process.version, processor: processors[0]?.model ?? 'unknown', threads: processors.length }
const results: { name: string; title: string; rows: RowResult[] }[] = []
const withGoals: typeof results = []
const goals: GoalResult[] = []

if (modules.length === 0) {
  console.error('No benchmark has such a name.')
  process.exitCode = 1
} else {
  console.log(`Node ${machine.node}, ${machine.threads} × ${machine.processor}\n`)
  for (const path of modules) {
    const { default: benchmark } = (await import(new URL(path, import.meta.url).href)) as {
      default: Benchmark
    }
    const rows = await sample(benchmark, values.quick ? quick : thorough)
    await benchmark.close?.()
    console.log(table(benchmark.title, rows))
    const result = { name: path.replace('.bench.js', ''), title: benchmark.title, rows }
    results.push(result)
    const judged = judge(result.name, benchmark, rows)
    if (judged.length > 0) withGoals.push(result)
    goals.push(...judged)
  }
  if (goals.length > 0) console.log(`${peersTable(withGoals)}\n${goalsTable(goals)}`)
  writeFileSync(
    new URL('../results.json', import.meta.url),
    `${JSON.stringify({ machine, results, goals }, null, 2)}\n`,
  )
}

function names(path: string): (name: string) => boolean {
  const file = path.slice(path.lastIndexOf('/') + 1)
  return (name) => path.startsWith(name) || file.startsWith(name)
}
