import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const program = fileURLToPath(new URL('./threads/turns-program.js', import.meta.url))

describe('ticks and microtasks that throw have their turns between answers, and end no call,', () => {
  // Node gives its own way to run them only where it isn't asked to warn of what it may drop.
  it.each([[[]], [['--pending-deprecation']]])('with the options %j of Node', (options) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [...options, program], {
      encoding: 'utf8',
      timeout: 20_000,
    })
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'done\n', stderr: '' })
  })
})
