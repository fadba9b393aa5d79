// The rules of the house do fire: each is shown something that breaks it.
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { ESLint, type Linter } from 'eslint'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const load = (path: string) => import(pathToFileURL(join(root, path)).href) as Promise<any>

describe('only the platform layer names a runtime', () => {
  let eslint: ESLint

  beforeAll(async () => {
    const { onlyThePlatformNamesARuntime: rule } = (await load('eslint.config.js')) as Record<string, Linter.Config>
    const readable = { files: ['**/*.ts'], languageOptions: rule!.languageOptions }
    eslint = new ESLint({ cwd: root, overrideConfigFile: true, overrideConfig: [readable, rule!] })
  })

  const faults = async (code: string, filePath: string) => {
    const [result] = await eslint.lintText(code, { filePath: join(root, filePath) })
    return result!.messages.map(({ ruleId, message }) => ruleId ?? message)
  }

  test.each([
    ["import { Worker } from 'node:worker_threads'", 'no-restricted-imports'],
    ["import type { Worker } from 'worker_threads'", 'no-restricted-imports'],
    ["export * from 'node:fs'", 'no-restricted-imports'],
    ["await import('node:fs')", 'no-restricted-syntax'],
    ["type Options = import('node:util').InspectOptions", 'no-restricted-syntax'],
    ['process.exit()', 'no-restricted-globals'],
    ["typeof Deno === 'undefined'", 'no-restricted-globals'],
    ['Bun.version', 'no-restricted-globals'],
    ['navigator.locks', 'no-restricted-globals'],
    ['window.origin', 'no-restricted-globals'],
    ['self.onmessage = null', 'no-restricted-globals'],
    ["Buffer.from('')", 'no-restricted-globals'],
    ["require('fs')", 'no-restricted-globals'],
    ['globalThis.process', 'no-restricted-properties'],
    ["globalThis['Deno']", 'no-restricted-properties'],
  ])('%s', async (code, rule) => {
    expect(await faults(code, 'packages/sync/src/mutex.ts')).toEqual([rule])
    expect(await faults(code, 'packages/core/src/threads.ts')).toEqual([rule])
    expect(await faults(code, 'packages/core/src/platform/node.ts')).toEqual([])
  })

  test('what every runtime has is free', async () => {
    const code =
      'export const f = (process: string) => [process, globalThis.performance.now(), new Worker(new URL(import.meta.url))]'
    expect(await faults(code, 'packages/sync/src/mutex.ts')).toEqual([])
  })
})

describe('floors', () => {
  let house: string

  beforeAll(async () => {
    house = await mkdtemp(join(tmpdir(), 'flatshare rules '))
    for (const file of [
      '.dependency-cruiser.js',
      'tsconfig.base.json',
      'tsconfig.sources.json',
      'package.json',
      'scripts',
    ]) {
      await cp(join(root, file), join(house, file), { recursive: true })
    }
  })

  afterAll(() => rm(house, { recursive: true, force: true }))

  /** The rules that some files break, as `rule: from → to`. */
  async function violations(files: Record<string, string>): Promise<string[]> {
    await rm(join(house, 'packages'), { recursive: true, force: true })
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(house, path)), { recursive: true })
      await writeFile(join(house, path), text)
    }
    const cruiser = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs')
    const args = [cruiser, '--config', '.dependency-cruiser.js', '--output-type', 'json', 'packages']
    const report = await new Promise<string>((resolve) => {
      // It exits with the number of violations.
      execFile(process.execPath, args, { cwd: house }, (_, stdout, stderr) => resolve(stdout || stderr))
    })
    return (
      JSON.parse(report) as { summary: { violations: { from: string; to: string; rule: { name: string } }[] } }
    ).summary.violations
      .map(({ from, to, rule }) => `${rule.name}: ${from} → ${to}`)
      .sort()
  }

  const core = { 'packages/core/src/index.ts': 'export const one = 1' }
  const sync = { 'packages/sync/src/index.ts': "export { one } from '@flatshare/core'" }

  test('downwards is free', async () => {
    expect(await violations({ ...core, ...sync })).toEqual([])
  })

  test('no upward import, not even of a type', async () => {
    const upward = {
      'packages/core/src/up.ts': "import type { one } from '@flatshare/sync'\nexport type One = typeof one",
    }
    expect(await violations({ ...core, ...sync, ...upward })).toEqual([
      'floors-core: packages/core/src/up.ts → packages/sync/src/index.ts',
    ])
  })

  test('no import from a neighbour on the same floor', async () => {
    expect(
      await violations({
        'packages/free-threaded/src/index.ts': "export * from '@flatshare/thread-aware'",
        'packages/thread-aware/src/index.ts': 'export const one = 1',
      }),
    ).toEqual(['floors-free-threaded: packages/free-threaded/src/index.ts → packages/thread-aware/src/index.ts'])
  })

  test('no way into another package but its name', async () => {
    const path = { 'packages/sync/src/index.ts': "export * from '../../core/src/index.js'" }
    expect(await violations({ ...core, ...path })).toEqual([
      'front-door: packages/sync/src/index.ts → packages/core/src/index.ts',
    ])
  })

  test('no cycle', async () => {
    const found = await violations({
      'packages/core/src/a.ts': "import { b } from './b.js'\nexport const a = () => b",
      'packages/core/src/b.ts': "import { a } from './a.js'\nexport const b = () => a",
    })
    expect(found).toHaveLength(1)
    expect(found[0]).toMatch(/^no-cycles: /)
  })

  test('manifests agree', async () => {
    const { faultsOf } = await load('scripts/check-manifests.js')
    const name = '@flatshare/sync'
    expect(faultsOf('packages/sync', { name, dependencies: { '@flatshare/core': 'workspace:^' } })).toEqual([])
    expect(faultsOf('packages/sync', { name, dependencies: { '@flatshare/apartment': 'workspace:^' } })).toHaveLength(1)
    expect(faultsOf('packages/sync', { name, devDependencies: { flatshare: 'workspace:^' } })).toHaveLength(1)
    expect(faultsOf('packages/sync', { name, dependencies: { '@flatshare/core': '^0.1.0' } })).toHaveLength(1)
    expect(faultsOf('packages/new', { name: '@flatshare/new' })).toHaveLength(1)
  })
})
