import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import type { Opener } from './opener.js'

const program = fileURLToPath(new URL('../threads/idle-program.js', import.meta.url))

/** Compilation and collection of what was done before may still go on: the least of so many. */
const TIMES = 3

export function idle({ link }: Opener): void {
  it('S39 threads with nothing to do use no CPU, and a program whose links are open ends', async () => {
    const shares: number[] = []
    for (let i = 0; i < TIMES && !shares.some((share) => share < 0.05); i++) {
      // Rejects, with its exit code, where that isn't 0, or where it doesn't end.
      const { stdout, stderr } = await promisify(execFile)(process.execPath, [program, link], { timeout: 25_000 })
      expect(stderr).toBe('')
      shares.push(JSON.parse(stdout).share)
    }
    expect(Math.min(...shares)).toBeLessThan(0.2)
  }, 80_000)
}
