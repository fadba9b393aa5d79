// Packs every package and asks publint and "are the types wrong?" whether a consumer would find code and types.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { packAll } from './pack.js'
import { root } from './workspace.js'

const attw = join(root, 'node_modules/@arethetypeswrong/cli/dist/index.js')
const folder = mkdtempSync(join(tmpdir(), 'flatshare exports '))
let faults = 0

try {
  for (const { name, filename } of packAll(folder)) {
    const tarball = readFileSync(filename)
    const { messages, pkg } = await publint({ pack: { tarball }, level: 'warning', strict: true })
    for (const message of messages) fault(`${name}: publint: ${formatMessage(message, pkg)}`)

    const args = [attw, filename, '--profile', 'esm-only', '--no-color', '--no-emoji', '--format', 'ascii']
    const types = spawnSync(process.execPath, args, { encoding: 'utf8' })
    if (types.status !== 0) fault(`${name}: are the types wrong?\n${types.stdout}${types.stderr}`)
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
process.exitCode = faults > 0 ? 1 : 0

function fault(text) {
  faults++
  console.error(text)
}
