/**
 * How a process finds the channel of the one that started it: by the environment variable `FLATSHARE_LINK`, which says
 * `<pid of the parent>:<where>`, and where is the number of a descriptor, or `auto`: the IPC channel where there is one,
 * else the first descriptor from 3 on that is a socket.
 *
 * The variable is taken out of the environment when it is read, and says whose it is: so no process further down takes for
 * its own what was meant for its parent.
 */
import { fstatSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'

const VARIABLE = 'FLATSHARE_LINK'

/** The first descriptor that is nobody's by convention. */
const FIRST = 3
const LAST = 15

/** What a child's environment must say for it to find the channel at that place. */
export function addressFor(where: number | 'auto'): Record<string, string> {
  return { [VARIABLE]: `${process.pid}:${where}` }
}

/** Lets every process that `start` starts look for its channel; processes take over the environment of their parent. */
export function addressing<T>(start: () => T): T {
  const before = process.env[VARIABLE]
  process.env[VARIABLE] = `${process.pid}:auto`
  try {
    return start()
  } finally {
    if (before === undefined) delete process.env[VARIABLE]
    else process.env[VARIABLE] = before
  }
}

/** Where the channel of this process to its parent is: a descriptor, or the IPC channel; undefined where there is none. */
export function takeParentAddress(): number | 'ipc' | undefined {
  const address = process.env[VARIABLE]
  if (address === undefined || !isMainThread) return undefined
  delete process.env[VARIABLE]
  const [pid, where] = address.split(':')
  if (where !== 'auto') {
    const descriptor = Number(where)
    return Number.isInteger(descriptor) && isSocket(descriptor) ? descriptor : undefined
  }
  if (Number(pid) !== process.ppid) return undefined
  if (process.channel) return 'ipc'
  for (let descriptor = FIRST; descriptor <= LAST; descriptor++) if (isSocket(descriptor)) return descriptor
  return undefined
}

function isSocket(descriptor: number): boolean {
  try {
    // As bigints: where Node 20 has last looked at a pipe or socket without, it takes no symbolic link for one any more,
    // and loads packages twice.
    const stat = fstatSync(descriptor, { bigint: true })
    // Windows has pipes there.
    return stat.isSocket() || (process.platform === 'win32' && stat.isFIFO())
  } catch {
    return false
  }
}
