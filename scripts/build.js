// Compiles the workspace: `node scripts/build.js [project …]`, by default every project of the root tsconfig.json. Then
// bundles the packages (see `bundle.js`).
//
// Speaks on standard error only. First removes outputs whose source is gone, which `tsc -b` leaves behind: a
// deleted test would otherwise run for ever.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, relative, sep } from 'node:path'
import { bundle } from './bundle.js'
import { root, workspaceFolders } from './workspace.js'

for (const folder of workspaceFolders().filter((folder) => folder !== '.')) {
  removeOrphans(join(root, folder, 'dist'), join(root, folder, 'src'))
  if (folder !== 'test') removeOrphans(join(root, folder, 'dist-test'), join(root, folder, 'test'))
}
const fixtures = join(root, 'test/fixtures/dialects')
const dialects = readdirSync(fixtures).flatMap((file) => file.match(/^tsconfig\.(.+)\.json$/)?.[1] ?? [])
const outputsOf = (dialect) => join(root, 'test/dist-test/dialects', dialect)
for (const dialect of dialects) removeOrphans(outputsOf(dialect), fixtures)
removeOrphans(join(root, 'test/dist-test'), join(root, 'test'), dialects.map(outputsOf))

const projects = process.argv.slice(2)
const tsc = join(createRequire(import.meta.url).resolve('typescript/package.json'), '../bin/tsc')
const { status, signal } = spawnSync(process.execPath, [tsc, '-b', ...(projects.length > 0 ? projects : ['.'])], {
  cwd: root,
  stdio: ['ignore', 2, 2],
})
if (signal || status !== 0) process.exit(status || 1)
await bundle()

/** Removes compiled files below `outputs` that nothing below `sources` compiles to; looks into none of `except`. */
function removeOrphans(outputs, sources, except = []) {
  if (!existsSync(outputs)) return
  for (const entry of readdirSync(outputs, { recursive: true, withFileTypes: true })) {
    const output = join(entry.parentPath, entry.name)
    if (!entry.isFile() || except.some((folder) => output.startsWith(folder + sep))) continue
    const stem = relative(outputs, output).match(/^(.*?)(?:\.d\.ts|\.js)(?:\.map)?$/)?.[1]
    if (stem !== undefined && !existsSync(join(sources, `${stem}.ts`))) rmSync(output)
  }
}
