import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** A file that is gone after the test. */
export function scratchFile(content: string | Uint8Array, name = 'test.mbox'): string {
  const path = join(scratchDirectory(), name)
  writeFileSync(path, content)
  return path
}

export function scratchDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'mail-store-test-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}
