/** A program and its worker, each bundled with all of Flatshare and minified by itself: they share no name of a class. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'vite'
import { afterAll, beforeAll, expect, it } from 'vitest'

let folder: string
let found: Record<string, unknown>

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flatshare-minified-'))
  for (const entry of ['program', 'worker']) {
    await build({
      configFile: false,
      logLevel: 'error',
      ssr: { noExternal: true },
      build: {
        ssr: fileURLToPath(new URL(`./${entry}.js`, import.meta.url)),
        outDir: join(folder, entry),
        minify: true,
        rolldownOptions: { output: { entryFileNames: `${entry}.mjs`, codeSplitting: false } },
      },
    })
  }
  const worker = pathToFileURL(join(folder, 'worker', 'worker.mjs'))
  const { stdout } = await promisify(execFile)(process.execPath, [join(folder, 'program', 'program.mjs'), worker.href])
  found = JSON.parse(stdout) as typeof found
}, 90_000)
afterAll(() => rm(folder, { recursive: true, force: true }))

it('is minified: classes have lost their names, and each side has its own', () => {
  const names = [...(found['own'] as string[]), ...(found['theirs'] as string[])]
  expect(names.filter((name) => /^[A-Z][a-z]{4}/.test(name))).toEqual([])
  expect(found['own']).toHaveLength(5)
})

it('finds classes by the names that were given, or under which they are served', () => {
  expect(found['mailbox']).toBe('Remote<Mailbox> { home: "mail", connected }')
  expect(found['served']).toEqual(['Remote<Served> { home: "mail", connected }', 42])
  expect(found['delivered']).toBe(1)
  expect(found['resized']).toBe(8)
})

it('keeps identity, and objects whose class nobody named', () => {
  expect(found['sameMailbox']).toBe(true)
  expect(found['folder']).toEqual(['Remote<> { home: "mail", connected }', 3])
})

it('brings errors and values of classes that are registered under a name', () => {
  expect(found['error']).toEqual(['deliver', 'deliver needs a subject'])
  expect(found['point']).toBe(5)
})

it('says which classes can be created where a class itself has no name that the other side knows', () => {
  expect(found['unknown']).toMatch(/^No class "[^"]+" is served here: Mailbox, Served can be created\.$/)
})
