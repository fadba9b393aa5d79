/**
 * What Flatshare asks of a runtime. Each leaf of this folder answers it for one family of runtimes,
 * and no other file of any package names one.
 */

/** A message port, as far as both families agree. */
export interface Port {
  postMessage(message: unknown, transferList?: any[]): void
  close(): void
}

/** Something that `postMessage` reaches and that reports messages: a `Worker`, the parent, or a port. */
export interface Endpoint {
  postMessage(message: any, transferList?: any[]): void
}

/** The thread that supervises the others; it is never blocked. */
export interface SupervisorThread {
  postMessage(message: unknown, transferList: any[]): void
}

/** A value that follows the flow of control across `await`. */
export interface AsyncContext<T> {
  get(): T | undefined
  run<R>(value: T, fn: () => R): R
  /** As `run`, for what has nothing to do with the running code; it is cheaper. */
  runApart<A, R>(value: T, fn: (argument: A) => R, argument: A): R
}

/** How a new worker is started. */
export interface WorkerSettings {
  name?: string
  workerData?: unknown
  transferList?: any[]
  /** What the worker's module takes by `startingArguments`. */
  args?: string[]
  /** Megabytes of heap and stack; Node alone knows such limits. */
  resourceLimits?: {
    maxOldGenerationSizeMb?: number
    maxYoungGenerationSizeMb?: number
    codeRangeSizeMb?: number
    stackSizeMb?: number
  }
  /** Environment variables; a copy of this thread's where nothing is said. Node alone has them, as the next two. */
  env?: Readonly<Record<string, string | undefined>> | symbol
  /** Its output isn't written to this process's, but read from the worker. */
  stdout?: boolean
  stderr?: boolean
}

/** What a worker writes, to be read: a `Readable` of Node's. */
export interface WorkerOutput extends AsyncIterable<any> {
  on(event: 'data', listener: (chunk: any) => void): unknown
  setEncoding(encoding: 'utf8'): unknown
  pipe<T>(destination: T): T
}

/** A worker that this thread started. */
export interface StartedWorker extends Endpoint {
  terminate(): unknown
  readonly stdout?: WorkerOutput
  readonly stderr?: WorkerOutput
}

/** Where tools hear of what happens, without the program's doing. */
export interface DiagnosticsChannel {
  readonly hasSubscribers: boolean
  publish(message: unknown): void
}

/** What people read while a program runs. */
export interface Terminal {
  readonly isTTY?: boolean
  write(text: string): unknown
}
