// `npm test`: the checks, then the tests. `npm test -- NAME …` passes its arguments to Vitest and skips the checks.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { root } from './workspace.js'

const run = (script, ...args) =>
  spawnSync(process.execPath, [join(root, script), ...args], { cwd: root, stdio: 'inherit' }).status ?? 1

const only = process.argv.slice(2)
const checks = only.length > 0 ? 0 : run('scripts/check.js')
const tests = run(
  'node_modules/vitest/vitest.mjs',
  'run',
  '--reporter=default',
  '--reporter=./scripts/count-tests.js',
  ...only,
)
if (checks !== 0) console.error('Some checks failed: see above the tests.')
process.exit(checks || tests)
