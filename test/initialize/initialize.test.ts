import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

test.each(['closes and releases', 'releases', 'does neither'])(
  'S39 a program that opened an apartment, reported progress and was notified ends by itself when it %s',
  (what) => {
    const program = fileURLToPath(new URL('./program.js', import.meta.url))
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, what], {
      encoding: 'utf8',
      timeout: 20_000,
    })
    const lines = ['counting 1000 false', 'notified', 'through', 'ended 0', '']
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: lines.join('\n'), stderr: '' })
  },
)
