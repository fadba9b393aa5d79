/** The contract suite of apartments, over links between processes. */
import { Apartment, type OpenOptions } from '@flatshare/apartment'
import { childProcess } from '@flatshare/process'
import { expect } from 'vitest'
import type { Opener } from '../../../apartment/dist-test/contract/opener.js'

/** The flags by which a process has the limits of a thread. */
function flagsOf({ maxOldGenerationSizeMb, stackSizeMb }: NonNullable<OpenOptions['resourceLimits']>): string[] {
  const flags: string[] = []
  if (maxOldGenerationSizeMb !== undefined) flags.push(`--max-old-space-size=${maxOldGenerationSizeMb}`)
  if (stackSizeMb !== undefined) flags.push(`--stack-size=${Math.floor(stackSizeMb * 1024)}`)
  return flags
}

const ended = (how: RegExp) => ({ message: expect.stringMatching(how) as string })

/** Opens each apartment in a process of its own. */
export const processes: Opener = Object.assign(
  async <M>(module: URL, { resourceLimits, ...options }: OpenOptions = {}): Promise<Apartment<M>> => {
    const source = childProcess(module, { execArgv: [...process.execArgv, ...flagsOf(resourceLimits ?? {})] })
    const apartment = await Apartment.open<M>(source, { ...options, stderr: true })
    // What they say as they die is meant.
    apartment.stderr?.on('data', () => {})
    return apartment
  },
  {
    over: 'pipes to processes',
    sharesMemory: false,
    link: 'port' as const,
    exited: ended(/^The process \d+ ended with exit code 3\.$/),
    killed: ended(/^The process \d+ was ended by SIGKILL\.$/),
    outOfMemory: ended(/^The process \d+ was ended by SIGABRT\.$/),
  },
)
