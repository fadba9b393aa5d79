import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const packages = readdirSync(join(root, 'packages'))
const readmes = ['README.md', ...packages.map((name) => `packages/${name}/README.md`)]

/** The cells of a table's line; a bar in code or after a backslash is none. */
const cells = (line: string): number =>
  line
    .replaceAll(/`[^`]*`/g, '')
    .replaceAll('\\|', '')
    .split('|').length

describe.each(readmes)('%s', (path) => {
  const lines = readFileSync(join(root, path), 'utf8').split('\n')

  test('its tables are whole: each line has as many cells as the first', () => {
    const broken = lines.filter((line, i) => {
      const [before, own] = [lines[i - 1] ?? '', line]
      return own.startsWith('|') && before.startsWith('|') && cells(own) !== cells(before)
    })
    expect(broken).toEqual([])
  })

  test('it says how to install and run what it is about', () => {
    expect(lines.filter((line) => line.startsWith('npm install ')).length).toBeGreaterThan(0)
    if (path !== 'README.md') return
    for (const command of ['npm start', 'npm test', 'npm run bench']) expect(lines.join('\n')).toContain(command)
    for (const name of packages.filter((name) => name !== 'flatshare'))
      expect(lines.join('\n')).toContain(`](packages/${name})`)
    for (const model of ['@FreeThreaded()', '@ApartmentThreaded()', '@SingleThreaded()']) {
      expect(lines.some((line) => line.startsWith('|') && line.includes(model))).toBe(true)
    }
  })
})
