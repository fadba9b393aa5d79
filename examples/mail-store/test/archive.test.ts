import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ArchiveError, checkArchive } from '../dist/archive.js'
import { scratchDirectory, scratchFile } from './scratch-file.js'

describe('what is not an archive is refused in one line', () => {
  test.each([
    ['an empty file', () => scratchFile(''), /is empty$/],
    ['blank lines', () => scratchFile('\n\n\n'), /is not mail/],
    ['a text', () => scratchFile('Dear all,\nFrom now on\n'), /is not mail/],
    ['a text that starts with From', () => scratchFile('From now on\nwe write prose.\n'), /is not mail/],
    ['a single line that starts with From', () => scratchFile('From now on we write prose.\n'), /is not mail/],
    ['something binary', () => scratchFile(Uint8Array.from({ length: 5000 }, (_, index) => index)), /is not mail/],
    ['a directory', () => scratchDirectory(), /is a directory/],
    ['a missing file', () => join(scratchDirectory(), 'none.mbox'), /does not exist$/],
    ['a path through a file', () => join(scratchFile('From '), 'x'), /does not exist$/],
  ])('%s', async (_, make, message) => {
    const error = await checkArchive(make()).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(ArchiveError)
    expect((error as Error).message).toMatch(message)
    expect((error as Error).message).not.toContain('\n')
  })
})

test.each([
  ['with a date', 'From a@b.c Mon Jan  1 00:00:00 2024\n\n'],
  ['without a date', 'From a@b.c\nSubject: x\n'],
  ['after blank lines', '\r\n\nFrom a@b.c Mon Jan  1 00:00:00 2024\nSubject: x\n'],
])('an archive that starts with a separator %s', async (_, content) => {
  expect(await checkArchive(scratchFile(content))).toBe(content.length)
})
