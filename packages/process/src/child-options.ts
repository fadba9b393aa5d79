/** How a child is started, watched, started again, and ended. */
import type { ChildProcess } from 'node:child_process'
import { isAbsolute } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { OpenOptions, OtherSource } from '@flatshare/apartment'
import { checkedTimeout } from '@flatshare/core/internal'
import { checkedHeartbeat, type HeartbeatOptions } from './heartbeat.js'
import { checkedRestart, type RestartOptions } from './restart-policy.js'

/** How the silence of a child is found. */
export interface ChildHeartbeatOptions extends HeartbeatOptions {
  /**
   * Whose signs count. `'process'`, the default for a module: those of a thread of the child's that computes nothing; so a
   * child that is stopped (SIGSTOP) or hangs in the system is found, and one that computes for long is left in peace.
   * `'thread'`: those of its main thread, which gives none while it computes or blocks without a pause.
   */
  of?: 'process' | 'thread'
}

/** For a module that `childProcess` runs. */
export interface ChildProcessOptions extends OwnProcessOptions {
  /** What the module finds in `process.argv` from the third place on. */
  args?: readonly string[]
  /** Flags for Node: those of this process by default. */
  execArgv?: readonly string[]
  /** The Node to run: this one by default. */
  execPath?: string
  /** The child's working directory: this process's by default. */
  cwd?: string | URL
}

/** For a process that a function starts. */
export interface OwnProcessOptions {
  /**
   * How a child is found that neither ends nor answers; false to look for nothing. By default a module's process is asked
   * every 2 seconds, and counts as gone after 10 seconds; a process that a function starts isn't asked.
   */
  heartbeat?: ChildHeartbeatOptions | false
  /** What to do when the process ends without having been asked to: nothing by default. */
  restart?: RestartOptions
  /** The longest frame that goes to the child or comes from it, in bytes: 256 MiB by default. */
  maxFrame?: number
  /** Milliseconds from SIGTERM to SIGKILL, where a process that is closed doesn't end: 2,000 by default. */
  killTimeout?: number
}

export interface ChildSettings {
  readonly heartbeat: (Required<HeartbeatOptions> & { readonly of: 'process' | 'thread' }) | undefined
  readonly restart: Required<RestartOptions> | undefined
  readonly maxFrame: number
  readonly killTimeout: number
}

export const MAX_FRAME = 1 << 28
const KILL_TIMEOUT = 2_000

/**
 * What `childProcess` gives: what to start, and how. Started it is by `Apartment.open`, each time anew.
 */
export class ChildSource implements OtherSource {
  readonly opens: string
  constructor(
    readonly start: string | (() => ChildProcess),
    readonly options: ChildProcessOptions,
    readonly settings: ChildSettings,
  ) {
    this.opens = typeof start === 'string' ? `a process that runs ${start}` : 'a process'
  }
}

/** What is for a process that a module is run in. */
const ofModulesOnly = ['args', 'execArgv', 'execPath', 'cwd'] as const

/**
 * A process for `Apartment.open`. Given a URL or an absolute path, it runs that module, whose exports are served without a
 * word; given a function, what that starts, whose module imports `@flatshare/process` and calls `serve`.
 *
 * @throws TypeError and RangeError for options that are none.
 * @example
 * const source = childProcess(new URL('./indexer.js', import.meta.url), { restart: { policy: 'on-failure' } })
 * await using indexer = await Apartment.open<typeof import('./indexer.js')>(source)
 */
export function childProcess(module: URL | string, options?: ChildProcessOptions): ChildSource
export function childProcess(start: () => ChildProcess, options?: OwnProcessOptions): ChildSource
export function childProcess(
  module: URL | string | (() => ChildProcess),
  options: ChildProcessOptions = {},
): ChildSource {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError('childProcess takes { args, restart, … } as its second argument.')
  }
  const start = typeof module === 'function' ? module : moduleUrl(module)
  return new ChildSource(start, options, checkedChild(options, typeof module !== 'function'))
}

/** @throws TypeError and RangeError. */
export function checkedChild(options: ChildProcessOptions, isModule: boolean): ChildSettings {
  for (const option of ['args', 'execArgv'] as const) {
    const list = options[option] as unknown
    if (list !== undefined && !(Array.isArray(list) && list.every((text) => typeof text === 'string'))) {
      throw new TypeError(`${option} is an array of texts.`)
    }
  }
  if (options.execPath !== undefined && typeof options.execPath !== 'string') {
    throw new TypeError('execPath is the path of a program.')
  }
  if (!isModule) {
    for (const option of ofModulesOnly) {
      if (options[option] === undefined) continue
      throw new TypeError(`${option} is for a module: give it to the process that your function starts.`)
    }
  }
  const { heartbeat, restart, maxFrame = MAX_FRAME, killTimeout = KILL_TIMEOUT } = options
  const of = (heartbeat || undefined)?.of ?? (isModule ? 'process' : 'thread')
  if (of !== 'process' && of !== 'thread') throw new TypeError("heartbeat.of is 'process' or 'thread'.")
  if (of === 'process' && !isModule) {
    throw new TypeError("heartbeat.of is 'thread' for a process that a function starts: it has no guard of ours.")
  }
  const beats =
    heartbeat === false || (heartbeat === undefined && !isModule) ? undefined : checkedHeartbeat(heartbeat ?? {})
  return {
    heartbeat: beats && { ...beats, of },
    restart: restart === undefined ? undefined : checkedRestart(restart),
    maxFrame: checkedFrame(maxFrame),
    killTimeout: checkedTimeout(killTimeout, 'killTimeout'),
  }
}

/** @throws RangeError for what is no length of a frame. */
export function checkedFrame(maxFrame: number): number {
  if (Number.isInteger(maxFrame) && maxFrame >= 1024 && maxFrame <= 0x7fffffff) return maxFrame
  throw new RangeError(`maxFrame is a number of bytes from 1,024 to 2,147,483,647; ${String(maxFrame)} was given.`)
}

/** Options of `Apartment.open` that a process can't have. */
export function refuseThreadOptions(options: OpenOptions, isModule: boolean): void {
  for (const option of ['workerData', 'transferList', 'resourceLimits', 'link'] as const) {
    if (options[option] === undefined) continue
    const instead =
      option === 'workerData'
        ? 'give it args, or call it'
        : option === 'resourceLimits'
          ? 'give it execArgv'
          : 'leave it out'
    throw new TypeError(`${option} is for threads of this process, not for another process: ${instead}.`)
  }
  if (typeof options.env === 'symbol') {
    throw new TypeError('Processes share no environment: give env as an object, or leave it out for a copy.')
  }
  if (isModule) return
  for (const option of ['env', 'stdout', 'stderr'] as const) {
    if (options[option] === undefined) continue
    throw new TypeError(`${option} is for a module opened by URL: give it to the process that your function starts.`)
  }
}

function moduleUrl(module: unknown): string {
  if (module instanceof URL) return module.href
  if (typeof module === 'string' && URL.canParse(module)) return module
  if (typeof module === 'string' && isAbsolute(module)) return pathToFileURL(module).href
  throw new TypeError(
    "childProcess takes the URL of a module, as new URL('./indexer.js', import.meta.url), an absolute path, or a " +
      'function that starts a process.',
  )
}
