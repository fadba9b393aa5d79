import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

const program = fileURLToPath(new URL('./threads/outliving-program.js', import.meta.url))
const TIMES = 10
/** One that does it often, and others that do it once. */
const PROCESSES = 3

describe('a program that awaits a call outlives the thread it went to, and ends when the call has, with', () => {
  it.each([
    ['an apartment exits', 'DisconnectedError'],
    ['an apartment throws', 'DisconnectedError'],
    ['an apartment is terminated', 'DisconnectedError'],
    ['an apartment is ended for a call that was given up', 'DisconnectedError'],
    ['an iteration is cut off', 'DisconnectedError'],
    ['a worker of the program exits', 'DisconnectedError'],
    ['a pool that is given one call', 'DisconnectedError', 30],
    ['a pool that has calls waiting', 'DisconnectedError ,4,6'],
    ['a pool that maps', 'DisconnectedError 0,4,0,8'],
    // Its threads live on.
    ['a pool that has done with a call before its thread has', 'AbortError', 3],
  ])(
    '%s',
    async (what, outcomes, most = TIMES) => {
      for (let i = 0; i < PROCESSES; i++) {
        const times = String(i === 0 ? most : 1)
        // Rejects, with its exit code, where that isn't 0.
        const { stdout, stderr } = await promisify(execFile)(process.execPath, [program, what, times], {
          timeout: 50_000,
        })
        expect({ stdout, stderr }).toEqual({ stdout: `${outcomes}\n`, stderr: '' })
      }
    },
    60_000,
  )
})
