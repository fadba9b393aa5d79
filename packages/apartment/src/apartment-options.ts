/** How an apartment is opened. */
import {
  checkedTimeout,
  parallelism,
  type StartedWorker,
  startWorker,
  type WorkerSettings,
} from '@flatshare/core/internal'
import { checkedLinkKind, type LinkKind } from './link-kind.js'
import { kindOfSource, type OtherSource, type StartedProcess, startAround } from './sources.js'

/**
 * What `Apartment.open` starts: the URL of a module, or a function that makes a worker. With `@flatshare/process`, also
 * what that package makes, and a function that starts a process.
 */
export type ApartmentSource = WorkerSource | OtherSource | (() => StartedProcess)

/** What is a thread of this process. */
export type WorkerSource =
  | URL
  | string
  | (() => { postMessage(message: any, transfer: any[]): void; terminate(): unknown })

export interface OpenOptions {
  /** What errors, stacks and `currentThread.name` call the thread. */
  name?: string
  /** What the module finds as its `workerData`; for a module opened by URL, as the next five. */
  workerData?: unknown
  /** What of `workerData` is moved, not copied. */
  transferList?: any[]
  /** Limits of the thread's memory, in megabytes, where the runtime has them (Node). */
  resourceLimits?: NonNullable<WorkerSettings['resourceLimits']>
  /** The thread's environment variables (Node): a copy of this thread's by default; `SHARE_ENV` shares them. */
  env?: NonNullable<WorkerSettings['env']>
  /** What the thread prints is read from `apartment.stdout`, instead of printed by this process (Node). */
  stdout?: boolean
  /** The same for errors that it prints: `apartment.stderr`. */
  stderr?: boolean
  /**
   * Whether the thread keeps the process alive until it is closed, as a worker does: true by default. When
   * false, only calls in progress do (Node).
   */
  keepAlive?: boolean
  /**
   * How calls get there and back. `'shared'`, the default: by shared memory wherever there is some, and message ports
   * for what must be moved. `'port'`: by message ports alone; calls give the same and take longer. What a thread was
   * opened with counts for the links that it makes by itself, too, unless it says otherwise.
   */
  link?: LinkKind
  /** Milliseconds until a thread that doesn't begin to serve is given up: 10,000 by default. */
  startTimeout?: number
  /** Gives up opening. */
  signal?: AbortSignal
}

export const START_TIMEOUT = 10_000

/** What a worker that a function makes must be told where it is made. */
const ofUrlsOnly = ['workerData', 'transferList', 'resourceLimits', 'env', 'stdout', 'stderr'] as const

/** Why a pool doesn't take what packages above open. */
export const POOLS_ARE_THREADS =
  'The members of a pool are threads of this process: open other processes by Apartment.open, and have each make a pool ' +
  'of its own (new ApartmentPool) where it needs more threads.'

/**
 * Checks what was given. What packages above open is no member of a pool.
 *
 * @throws TypeError and RangeError.
 */
export function checkOpening(source: unknown, options: OpenOptions, caller: string, pooled = false): void {
  const isOther = typeof source === 'object' && source !== null && !pooled && kindOfSource(source) !== undefined
  if (pooled && kindOfSource(source)) throw new TypeError(POOLS_ARE_THREADS)
  if (!isOther && typeof source !== 'function' && typeof source !== 'string' && !(source instanceof URL)) {
    throw new TypeError(`${caller} takes the URL of a module, or a function that makes a worker.`)
  }
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`${caller} takes { name, workerData, … } as its second argument.`)
  }
  const { name, transferList, env, startTimeout, signal } = options
  if (name !== undefined && (typeof name !== 'string' || name === '')) {
    throw new TypeError('name is a text: what errors call the thread.')
  }
  for (const flag of ['stdout', 'stderr', 'keepAlive'] as const) {
    if (options[flag] !== undefined && typeof options[flag] !== 'boolean')
      throw new TypeError(`${flag} is true or false.`)
  }
  if (transferList !== undefined && !Array.isArray(transferList)) throw new TypeError('transferList is an array.')
  if (env !== undefined && typeof env !== 'symbol' && (typeof env !== 'object' || env === null)) {
    throw new TypeError('env is an object of texts, or SHARE_ENV.')
  }
  checkedLinkKind(options.link)
  if (startTimeout !== undefined) checkedTimeout(startTimeout, 'startTimeout')
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw new TypeError('signal is not an AbortSignal.')
  if (isOther) return
  if (typeof source !== 'function') return void moduleUrl(source as URL | string)
  for (const option of ofUrlsOnly) {
    if (options[option] === undefined) continue
    throw new TypeError(`${option} is for a module opened by URL: give it to the worker that your function makes.`)
  }
}

/** Starts the worker of a source. What it throws is the runtime's, or the function's. */
export function startSource(source: WorkerSource, options: OpenOptions): StartedWorker {
  if (typeof source === 'function') return startAround(source) as StartedWorker
  const { name } = options
  const settings: WorkerSettings = { args: [moduleUrl(source), ...(name === undefined ? [] : [name])] }
  for (const key of ['name', ...ofUrlsOnly] as const) {
    if (options[key] !== undefined) (settings as Record<string, unknown>)[key] = options[key]
  }
  return startWorker(new URL('./host.js', import.meta.url), settings)
}

function moduleUrl(source: URL | string): string {
  if (source instanceof URL || URL.canParse(source)) return String(source)
  throw new TypeError(
    `"${source}" is no URL. For a module beside this one write new URL('${source}', import.meta.url).`,
  )
}

/** One thread for each core that this one leaves. */
export function spareCores(): number {
  return Math.max(1, parallelism() - 1)
}
