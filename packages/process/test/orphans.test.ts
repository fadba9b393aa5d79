import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const program = fileURLToPath(new URL('./programs/parent.js', import.meta.url))

/** Resolves once that has been printed, each on a line of its own. */
async function printed(parent: ChildProcessByStdio<null, Readable, null>, ...lines: string[]): Promise<void> {
  let text = ''
  const missing = () => lines.some((line) => !text.split('\n').includes(line))
  for await (const piece of parent.stdout.iterator({ destroyOnReturn: false })) {
    text += String(piece)
    if (!missing()) return
  }
  throw new Error(`The program ended, and had printed: ${text}`)
}

describe('a child whose parent is killed', () => {
  it.each(['module', 'forked', 'spawned'])('is gone, too: %s', async (way) => {
    const parent = spawn(process.execPath, [program, way], { stdio: ['ignore', 'pipe', 'inherit'] })
    await printed(parent, 'opened')
    // Both write to it: it ends with the last of them.
    const bothGone = once(parent.stdout, 'end')
    parent.stdout.resume()
    parent.kill('SIGKILL')
    await bothGone
    expect(parent.stdout.readableEnded).toBe(true)
  })

  it('is gone also where it computes for ever', async () => {
    const parent = spawn(process.execPath, [program, 'module', 'busy'], { stdio: ['ignore', 'pipe', 'inherit'] })
    await printed(parent, 'opened', 'computing')
    const bothGone = once(parent.stdout, 'end')
    parent.stdout.resume()
    parent.kill('SIGKILL')
    await bothGone
    expect(parent.stdout.readableEnded).toBe(true)
  })
})
