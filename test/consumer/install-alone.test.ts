// Every package, packed as it would be published and installed into an empty project with nothing but what it depends
// on, runs the program that its README shows.
import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { exampleIn, type ReadmeExample } from './readme-example.js'

const minutes = 60_000
const root = fileURLToPath(new URL('../../..', import.meta.url))
const run = promisify(execFile)

interface Manifest {
  name: string
  dependencies?: Record<string, string>
}

const packages = new Map(
  readdirSync(join(root, 'packages'))
    .filter((folder) => existsSync(join(root, 'packages', folder, 'package.json')))
    .map((folder) => {
      const path = join(root, 'packages', folder)
      const manifest = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')) as Manifest
      return [manifest.name, { path, manifest }] as const
    }),
)

/** A package and all of ours that it depends on. */
function withDependencies(name: string, found = new Set<string>()): Set<string> {
  found.add(name)
  for (const dependency of Object.keys(packages.get(name)!.manifest.dependencies ?? {})) {
    if (packages.has(dependency) && !found.has(dependency)) withDependencies(dependency, found)
  }
  return found
}

/** Text of a README; empty where there is none. */
const readmeIn = (folder: string) =>
  existsSync(join(folder, 'README.md')) ? readFileSync(join(folder, 'README.md'), 'utf8').replaceAll('\r\n', '\n') : ''

describe('installed alone, runs the example of its README', () => {
  let work: string
  const tarballs = new Map<string, string>()

  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), 'flatshare consumers '))
    const { stdout } = await run(process.execPath, [join(root, 'scripts/pack.js'), join(work, 'tarballs')])
    for (const { name, filename } of JSON.parse(stdout) as { name: string; filename: string }[]) {
      tarballs.set(name, filename)
    }
  }, 2 * minutes)

  afterAll(() => rm(work, { recursive: true, force: true }))

  for (const [name, { path }] of packages) {
    test(
      name,
      async () => {
        const example = exampleIn(readmeIn(path), 'Example')
        expect(example, 'the README has a section "## Example" with a program').toBeDefined()
        await runAsConsumer(name, `${name.replace('/', '-')} alone`, example!)
      },
      3 * minutes,
    )
  }

  test(
    'the README of the repository, with `flatshare`',
    async () => {
      const example = exampleIn(readmeIn(root))
      expect(example, 'the README opens with a program').toBeDefined()
      await runAsConsumer('flatshare', 'the house', example!)
    },
    3 * minutes,
  )

  async function runAsConsumer(name: string, project: string, example: ReadmeExample): Promise<void> {
    const folder = join(work, project)
    await mkdir(folder)
    await installAlone(name, folder)
    for (const [file, text] of example.files) await writeFile(join(folder, file), text)
    await compile(folder, [...example.files.keys()])
    const program = example.program.replace(/\.ts$/, '.js')
    const { stdout } = await step('running the example', process.execPath, [program], folder)
    if (example.output !== undefined) expect(stdout.trimEnd()).toBe(example.output.trimEnd())
  }

  async function installAlone(name: string, folder: string): Promise<void> {
    const dependencies: Record<string, string> = {}
    for (const own of withDependencies(name)) dependencies[own] = `file:${tarballs.get(own)!}`
    await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module', dependencies }))
    const npm = process.env.npm_execpath?.endsWith('npm-cli.js') ? process.env.npm_execpath : undefined
    const args = ['install', '--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
    await step('npm install', npm ? process.execPath : 'npm', npm ? [npm, ...args] : args, folder)
    const installed = existsSync(join(folder, 'node_modules/@flatshare'))
      ? readdirSync(join(folder, 'node_modules/@flatshare')).map((own) => `@flatshare/${own}`)
      : []
    expect(installed.sort()).toEqual(
      Object.keys(dependencies)
        .filter((own) => own !== 'flatshare')
        .sort(),
    )
  }

  async function compile(folder: string, files: string[]): Promise<void> {
    // Without "DOM", as programs for Node are compiled, and with our own declarations checked: a type that is missing
    // there would quietly become any.
    const options = {
      target: 'ES2022',
      module: 'nodenext',
      lib: ['ES2023', 'ESNext.Disposable', 'ESNext.Decorators'],
      strict: true,
      types: ['node'],
      typeRoots: [join(root, 'node_modules/@types')],
    }
    const sources = files.filter((file) => file.endsWith('.ts'))
    if (sources.length === 0) return
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: sources }))
    await step('compiling the example', process.execPath, [join(root, 'node_modules/typescript/bin/tsc')], folder)
  }

  /** Runs a command, and says which one and what it printed where it fails. */
  async function step(what: string, command: string, args: string[], cwd: string) {
    try {
      return await run(command, args, { cwd, timeout: 2 * minutes, shell: process.platform === 'win32' })
    } catch (error) {
      const { code, signal, stdout, stderr } = error as NodeJS.ErrnoException &
        Record<'signal' | 'stdout' | 'stderr', string>
      throw new Error(`${what} ended with ${signal ?? code}\n${stdout}${stderr}`, { cause: error })
    }
  }
})
