// `node scripts/pack.js FOLDER` packs every published package into FOLDER, just as publishing would, and prints what
// it made, as a JSON array of `{ name, version, filename }`.
import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { root } from './workspace.js'

export function packAll(destination) {
  mkdirSync(destination, { recursive: true })
  const pnpm = join(root, 'node_modules/pnpm/bin/pnpm.cjs')
  const args = ['--filter=./packages/*', 'pack', '--json', '--pack-destination', resolve(destination)]
  const output = execFileSync(process.execPath, [pnpm, ...args], { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 26 })
  return JSON.parse(output).map(({ name, version, filename }) => ({ name, version, filename }))
}

if (import.meta.filename === process.argv[1]) console.log(JSON.stringify(packAll(process.argv[2])))
