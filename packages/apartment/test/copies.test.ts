import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { objectTable } from '@flatshare/apartment'
import { afterAll, expect, it } from 'vitest'

const here = fileURLToPath(new URL('..', import.meta.url))
const folder = mkdtempSync(join(here, 'dist-test', 'copy-'))
afterAll(() => rmSync(folder, { recursive: true }))

it('a second copy of the package on one thread is refused, and says what to do', async () => {
  cpSync(join(here, 'dist'), folder, { recursive: true })
  const copy = pathToFileURL(join(folder, 'index.js')).href
  await expect(import(/* @vite-ignore */ copy)).rejects.toThrow(
    /Two copies of the package .* let all packages share one copy/,
  )
  // The first one works on.
  const object = {}
  using _registration = objectTable.register('still here', object)
  expect(await objectTable.get('still here')).toBe(object)
})
