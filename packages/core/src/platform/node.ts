/**
 * The leaf for Node, and for Deno and Bun through their `node:` modules.
 *
 * Every worker loads what this imports before anything else. So what isn't needed at once is asked of
 * `process.getBuiltinModule` where it is needed.
 */
import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'
import { isProxy as isProxyObject } from 'node:util/types'
import workerThreads, {
  getEnvironmentData,
  isMainThread as inMainThread,
  MessagePort,
  parentPort,
  postMessageToThread,
  receiveMessageOnPort,
  setEnvironmentData,
  threadId,
  Worker,
  workerData,
} from 'node:worker_threads'
import type {
  AsyncContext,
  DiagnosticsChannel,
  Endpoint,
  Port,
  StartedWorker,
  SupervisorThread,
  Terminal,
  WorkerSettings,
} from './platform.js'

export type * from './platform.js'

const INHERITED = '@flatshare/core arena'

export const isMainThread = inMainThread

/** A number by which another thread can reach this one before the two share a port. */
export const nativeThreadId = threadId

export function inheritedArena(): SharedArrayBuffer | undefined {
  const value = getEnvironmentData(INHERITED) as unknown
  return value instanceof SharedArrayBuffer ? value : undefined
}

/** Hands the arena to every worker that this thread starts from now on. */
export function bequeathArena(arena: SharedArrayBuffer): void {
  setEnvironmentData(INHERITED, arena as never)
}

/** True where a thread knows from its start whether it will ever inherit an arena. */
export const inheritsArena = true

/** The supervisor's module. In the bundle it is its code, a text: so it is found in bundles of users, too. */
const SUPERVISOR: URL | string = new URL('../supervisor.js', import.meta.url)

export function startSupervisor(arena: SharedArrayBuffer): SupervisorThread {
  // No loaders and no inspector flags: the supervisor runs plain JavaScript of this package only.
  const settings = { workerData: { arena }, execArgv: [], eval: typeof SUPERVISOR === 'string' }
  const worker = new Worker(SUPERVISOR, settings)
  worker.unref()
  return worker
}

/** The supervisor's own side of `startSupervisor`. */
export function supervisorThread(onMessage: (message: any) => void): { arena: SharedArrayBuffer } {
  parentPort!.on('message', onMessage)
  return workerData as { arena: SharedArrayBuffer }
}

/** Reaches the thread that made the arena, through the runtime's own channel. */
export function sendToRoot(rootId: number, message: unknown, transferList: any[]): void {
  // It is reached when its event loop turns; if it has ended, so has the process or soon will.
  postMessageToThread(rootId, { flatshare: message }, transferList).catch(() => {})
}

export function receiveAsRoot(onMessage: (message: any) => void): void {
  process.on(
    'workerMessage' as never,
    ((message: any) => {
      if (message !== null && typeof message === 'object' && 'flatshare' in message) onMessage(message.flatshare)
    }) as never,
  )
}

/** Ports close when their thread ends, however it ends: nothing is to be announced. */
export function announceLife(_name: string): Promise<void> | undefined {
  return undefined
}

/** Calls back once the thread at the other end of `port` has ended. */
export function whenGone(port: Port, _name: string, callback: () => void): void {
  ;(port as MessagePort).once('close', callback)
}

/**
 * Listens on a port without keeping the process alive; see `holdPort`. `onUnreadable` hears of messages that
 * can't be deserialized here.
 */
export function listen(
  port: Port,
  onMessage: (message: any) => void,
  onClose?: () => void,
  onUnreadable?: () => void,
): void {
  const real = port as MessagePort
  real.on('message', onMessage)
  if (onUnreadable) real.on('messageerror', onUnreadable)
  if (onClose) whenClosed(real, onClose)
  real.unref()
}

/** Calls back once the port is closed, also where it was before: that is told once, and perhaps nobody listened. */
function whenClosed(port: MessagePort, onClose: () => void): void {
  let told = false
  const tell = () => {
    if (told) return
    told = true
    onClose()
  }
  port.once('close', tell)
  // Listening holds the event loop open by an open port, and by no other. Not every runtime can be asked.
  if ((port as { hasRef?(): boolean }).hasRef?.() === false) setImmediate(tell)
}

/** Whether the port keeps this thread's event loop alive. */
export function holdPort(port: Port, hold: boolean): void {
  if (hold) (port as MessagePort).ref()
  else (port as MessagePort).unref()
}

/** Whether a port can be read without the event loop. */
export const readsPortsNow = true

/** Takes the next message of a port now, without its event loop; undefined where there is none. */
export function receiveNow(port: Port): { message: unknown } | undefined {
  return receiveMessageOnPort(port as MessagePort) as { message: unknown } | undefined
}

export function isPort(value: unknown): value is Port {
  return value instanceof MessagePort
}

/** Messages of an endpoint that may be a worker, a port or the parent. Returns how to stop listening. */
export function listenTo(
  endpoint: Endpoint,
  onMessage: (message: any) => void,
  onGone?: (exitCode?: number) => void,
): () => void {
  const emitter = endpoint as unknown as import('node:events').EventEmitter
  if (typeof emitter.on !== 'function') {
    // A web-style Worker, as Bun, Deno and polyfills have it.
    const target = endpoint as unknown as EventTarget
    const listener = (event: Event) => onMessage((event as MessageEvent).data)
    target.addEventListener('message', listener)
    const gone = () => onGone?.()
    target.addEventListener('close', gone, { once: true })
    return () => {
      target.removeEventListener('message', listener)
      target.removeEventListener('close', gone)
    }
  }
  emitter.on('message', onMessage)
  const event = endpoint instanceof Worker ? 'exit' : 'close'
  // A port's `close` comes with an event, a worker's `exit` with its code.
  const gone = (code: unknown) => onGone?.(typeof code === 'number' ? code : undefined)
  emitter.once(event, gone)
  return () => {
    emitter.off('message', onMessage)
    emitter.off(event, gone)
  }
}

/** Whether `listenTo` tells of the end of a worker that this thread started. */
export const reportsWorkerExit = true

/** Whether a worker has ended, as far as the runtime tells. */
export function hasEnded(endpoint: Endpoint): boolean {
  return endpoint instanceof Worker && endpoint.threadId === -1
}

/** Reports an error that ends a worker, before its end. The error counts as handled. */
export function onWorkerError(endpoint: Endpoint, onError: (error: unknown) => void): void {
  ;(endpoint as unknown as import('node:events').EventEmitter).on?.('error', onError)
}

/** As `onWorkerError`, for a worker of somebody else's: whether the error is handled stays with its owner. */
export function observeWorkerError(endpoint: Endpoint, onError: (error: unknown) => void): () => void {
  const emitter = endpoint as unknown as import('node:events').EventEmitter
  const { errorMonitor } = process.getBuiltinModule('node:events')
  emitter.on?.(errorMonitor, onError)
  return () => emitter.off?.(errorMonitor, onError)
}

/** Ends this thread, which is a worker. */
export function endThread(): void {
  process.exit()
}

/** The endpoint of the thread that started this one; undefined on the main thread. */
export function parentEndpoint(): Endpoint | undefined {
  return parentPort ?? undefined
}

export function startWorker(module: URL, { args, ...rest }: WorkerSettings): StartedWorker {
  const settings = rest as import('node:worker_threads').WorkerOptions
  return new Worker(module, args ? { ...settings, argv: args } : settings) as StartedWorker
}

/** Whether a worker, or listening to the parent of this one, keeps this thread's event loop alive. */
export function holdWorker(worker: Endpoint, hold: boolean): void {
  const { ref, unref } = worker as Partial<Worker>
  if (hold) ref?.call(worker)
  else unref?.call(worker)
}

/** How many threads can run at once. */
export function parallelism(): number {
  return process.getBuiltinModule('node:os').availableParallelism()
}

/** Takes the `args` with which this thread was started; they are gone then. */
export function startingArguments(): string[] {
  return process.argv.splice(2)
}

let holds = 0
let heartbeat: NodeJS.Timeout | undefined

/**
 * Keeps this thread's event loop alive until the returned function is called: a pending
 * `Atomics.waitAsync` alone doesn't (nodejs/node#61941).
 */
export function holdOpen(): () => void {
  // One timer for all, as calls that come one after the other begin and end a hold each.
  heartbeat ??= setInterval(() => {}, 0x7fffffff)
  if (holds++ === 0) heartbeat.ref()
  let held = true
  return () => {
    if (!held) return
    held = false
    if (--holds === 0) heartbeat!.unref()
  }
}

/** Runs when this thread ends of its own accord (not by `terminate()` or out of memory). */
export function onOwnExit(callback: (code: number) => void): void {
  process.once('exit', callback)
}

/** Runs each time when the event loop has nothing left to do; work started there keeps it alive. */
export function onLoopDrained(callback: () => void): void {
  process.on('beforeExit', callback)
}

/** Code that runs in it runs in no other context. */
const nobodys = new AsyncResource('flatshare', { requireManualDestroy: true })

/** With the marks that they have while contexts follow the running code: see core's `kept-shapes.ts`. */
const marked: object[] = []

/** Keeps one of each kind of what the runtime marks. It does so from the first run on. */
function keepOfRuntime(storage: AsyncLocalStorage<unknown>): void {
  storage.run(marked, () => {
    const immediate = setImmediate(() => {})
    clearImmediate(immediate)
    marked.push(immediate, new Promise(() => {}))
    // A tick can be had from inside of it alone.
    process.nextTick(() => marked.push(process.getBuiltinModule('node:async_hooks').executionAsyncResource()))
  })
}

export function asyncContext<T>(): AsyncContext<T> | undefined {
  const storage = new AsyncLocalStorage<T>()
  keepOfRuntime(storage as AsyncLocalStorage<unknown>)
  let inside = false
  const enter = (value: T, fn: (argument: any) => any, argument: unknown): any => {
    storage.enterWith(value)
    return fn(argument)
  }
  return {
    get: () => storage.getStore(),
    run: (value, fn) => storage.run(value, fn),
    // A run copies the whole context twice on Node 24, and looks it up five times on Node 20.
    runApart(value, fn, argument) {
      if (inside) return storage.run(value, fn, argument)
      inside = true
      try {
        return nobodys.runInAsyncScope(enter, undefined, value, fn, argument)
      } finally {
        inside = false
      }
    },
  }
}

/** The stream for messages to people; undefined where the runtime has none. */
export function terminal(): Terminal | undefined {
  return process.stderr
}

/** The operating system's number of this process. */
export const processId: number | undefined = process.pid

/** The runtime's channel of that name, for tools; undefined where it has none. */
export function diagnosticsChannel(name: string): DiagnosticsChannel | undefined {
  return process.getBuiltinModule('node:diagnostics_channel').channel(name)
}

/** Tells people of something that went wrong where nobody waits for it: a warning of this thread's `process`. */
export function warn(message: string, detail: string): void {
  process.emitWarning(message, { type: 'FlatshareWarning', detail })
}

/**
 * Milliseconds since some moment. Not by `performance`: its first use loads a part of Node, which takes a new worker a
 * millisecond.
 */
export function clock(): number {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1e3 + nanoseconds / 1e6
}

/** Calls back when no microtask is left in this turn of the event loop; in the async context of nobody. */
export function afterMicrotasks(callback: () => void): void {
  nobodys.runInAsyncScope(thenTick, undefined, callback)
}

const settled = Promise.resolve()

/** From a tick the next one would come before the microtasks. */
function thenTick(callback: () => void): void {
  // Not by `queueMicrotask`: it takes twice as long, and its code is thrown away at each collection of all garbage.
  void settled.then(() => process.nextTick(callback))
}

/**
 * What Node itself runs between two timers. It has no better name; asked for warnings of what may be gone one day, Node
 * puts another function in its place, and other runtimes have none, or another.
 */
const { _tickCallback: ticks } = process as { _tickCallback?: () => void }
const runTicks = ticks?.name === 'runNextTicks' ? ticks : undefined

/**
 * Runs the microtasks and ticks that wait, until none is left: only from a callback of `afterMicrotasks` or `soon`. False
 * where the runtime can't.
 */
export function runMicrotasks(): boolean {
  if (runTicks === undefined) return false
  runTicks()
  return true
}

/** Calls back from the event loop, after what is running and its microtasks, and before any timer is due. */
export function soon(callback: () => void): void {
  nobodys.runInAsyncScope(setImmediate, undefined, callback)
}

/** Loads an ES module by its URL before it returns; false where the runtime can't. */
export function loadModule(url: string): boolean {
  // `require` takes ES modules, if they don't await at their top level, and they are the same ones that `import` gives.
  const { createRequire } = process.getBuiltinModule('node:module')
  const { fileURLToPath } = process.getBuiltinModule('node:url')
  createRequire(import.meta.url)(url.startsWith('file:') ? fileURLToPath(url) : url)
  return true
}

/** Whether plain reads may be seen by this thread out of their order, so that a fence is needed. */
export const reordersReads = !['x64', 'ia32'].includes(process.arch)

/** Whether an object is a Proxy; false where the runtime doesn't tell. */
export const isProxy: (object: object) => boolean = isProxyObject

/** Whether a program is likely to let texts be compiled. */
export const compiles = true

/** A buffer of so many bytes, to be overwritten at once: what is in them isn't told. */
export function bufferToFill(bytes: number): ArrayBuffer {
  return Buffer.allocUnsafeSlow(bytes).buffer
}

/** Some bytes as a text, a character each; undefined where the runtime has nothing quick for that. */
export const latin1: ((bytes: Uint8Array, start: number, end: number) => string) | undefined = (() => {
  const { latin1Slice } = Buffer.prototype as { latin1Slice?(start: number, end: number): string }
  return latin1Slice && ((bytes, start, end) => latin1Slice.call(bytes as never, start, end))
})()

/** Makes structured clone refuse an object; undefined where the runtime can't. */
export const markUncloneable = (workerThreads as { markAsUncloneable?: (object: object) => void }).markAsUncloneable
