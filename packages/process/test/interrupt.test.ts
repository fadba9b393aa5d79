import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const program = fileURLToPath(new URL('./programs/interrupted.js', import.meta.url))

/** Runs it in a group of processes of its own, all of which get the signal, as from a terminal. */
async function interrupt(signal: NodeJS.Signals, ...args: string[]) {
  const child = spawn(process.execPath, [program, ...args], { detached: true, stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  let text = ''
  // It ends when the last of them has ended, which all write to it.
  for await (const piece of child.stdout) {
    const before = text
    text += String(piece)
    if (!before.includes('opened') && text.includes('opened')) process.kill(-child.pid!, signal)
  }
  return { lines: text.trim().split('\n'), exit: await exited }
}

describe.skipIf(process.platform === 'win32').each(['SIGINT', 'SIGHUP'] as const)('%s from a terminal', (signal) => {
  it('leaves a process to its parent, which finishes its work', async () => {
    const { lines, exit } = await interrupt(signal, signal)
    expect(lines).toEqual(['opened', 'still there', 'closed'])
    expect(exit).toEqual([0, null])
  })

  it('ends the parent that has no mind for it, and its process with it', async () => {
    const { lines, exit } = await interrupt(signal)
    expect(lines).toEqual(['opened'])
    expect(exit).toEqual([null, signal])
  })
})
