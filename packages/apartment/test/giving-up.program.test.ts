import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const program = fileURLToPath(new URL('./threads/giving-up-program.js', import.meta.url))

describe('a program ends when its work is done, with a call', () => {
  it.each(['answered in time', 'given up in time', 'served with a deadline', 'without an answer', 'ended'])(
    '%s',
    (what) => {
      const { status, stdout, stderr } = spawnSync(process.execPath, [program, what], {
        encoding: 'utf8',
        timeout: 20_000,
      })
      expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'done\n', stderr: '' })
    },
  )
})
