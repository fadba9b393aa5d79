// `npm run check`: every check of the workspace, two at a time. Prints a line for each, and the output of those that
// fail. `npm run check -- NAME …` runs only the named ones.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { root } from './workspace.js'

const bin = (path) => join(root, 'node_modules', path)

/** What is checked, the slowest first. */
const checks = {
  'promises and runtimes (eslint)': [bin('eslint/bin/eslint.js'), '.', '--max-warnings=0'],
  'package exports (publint, attw)': ['scripts/check-exports.js'],
  'types (tsc)': [bin('typescript/bin/tsc'), '-b'],
  'unused code (knip)': [bin('knip/bin/knip.js'), '--no-progress', '--no-config-hints'],
  'floors and cycles (dependency-cruiser)': [
    bin('dependency-cruiser/bin/dependency-cruise.mjs'),
    ...['--config', '.dependency-cruiser.js', '--output-type', 'err-long'],
    ...['packages', 'examples', 'test', 'bench'],
  ],
  'lint and format (biome)': [bin('@biomejs/biome/bin/biome'), 'check', '--error-on-warnings', '.'],
  'package manifests': ['scripts/check-manifests.js'],
}

const wanted = process.argv.slice(2)
const queue = Object.keys(checks).filter((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)))
const failed = []
await Promise.all([worker(), worker()])
if (queue.length === 0 && failed.length > 0) console.log(`\nchecks that failed: ${failed.join(', ')}`)
process.exitCode = failed.length > 0 ? 1 : 0

async function worker() {
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    const started = performance.now()
    const { passed, output } = await run(checks[name])
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    console.log(`${passed ? 'ok    ' : 'FAILED'} ${name}, ${seconds} s`)
    if (passed) continue
    failed.push(name)
    console.log(output.trimEnd().replace(/^/gm, '       '))
  }
}

function run([script, ...args]) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [script, ...args], {
      cwd: root,
      env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text))
    child.on('close', (code) => resolve({ passed: code === 0, output }))
  })
}
