/** The leaf for pages and Web Workers. Shared memory needs a cross-origin isolated page. */
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

interface WorkerScope extends Endpoint, EventTarget {
  readonly name: string
  readonly location: { readonly href: string }
}

const scope = globalThis as unknown as WorkerScope & { document?: unknown; WorkerGlobalScope?: unknown }

export const isMainThread = scope.document !== undefined || scope.WorkerGlobalScope === undefined
export const nativeThreadId = 0
export const inheritsArena = false

/** Nothing is inherited here: a worker adopts the arena of the first packet that it gets. */
export function inheritedArena(): SharedArrayBuffer | undefined {
  return undefined
}

export function bequeathArena(_arena: SharedArrayBuffer): void {}

export function startSupervisor(arena: SharedArrayBuffer): SupervisorThread {
  const worker = new Worker(new URL('../supervisor.js', import.meta.url), { type: 'module' })
  worker.postMessage({ arena })
  return worker
}

export function supervisorThread(onMessage: (message: any) => void): { arena?: SharedArrayBuffer } {
  scope.addEventListener('message', (event) => onMessage((event as MessageEvent).data))
  return {}
}

/** There is no such channel here: a worker joins with its first packet. */
export function sendToRoot(_rootId: number, _message: unknown, _transferList: any[]): void {}

export function receiveAsRoot(_onMessage: (message: any) => void): void {}

/** Holds a Web Lock for as long as this thread lives: the browser releases it, however the thread ends. */
export function announceLife(name: string): Promise<void> | undefined {
  return new Promise((granted) => {
    void navigator.locks.request(name, () => {
      granted()
      return new Promise(() => {})
    })
  })
}

export function whenGone(_port: Port, name: string, callback: () => void): void {
  void navigator.locks.request(name, callback)
}

export function listen(
  port: Port,
  onMessage: (message: any) => void,
  onClose?: () => void,
  onUnreadable?: () => void,
): void {
  const real = port as MessagePort
  real.addEventListener('message', (event) => onMessage(event.data))
  if (onUnreadable) real.addEventListener('messageerror', onUnreadable)
  if (onClose) real.addEventListener('close', onClose, { once: true })
  real.start()
}

export function holdPort(_port: Port, _hold: boolean): void {}

export const readsPortsNow = false

/** A browser gives no way to read a port without returning to the event loop. */
export function receiveNow(_port: Port): { message: unknown } | undefined {
  return undefined
}

export function isPort(value: unknown): value is Port {
  return value instanceof MessagePort
}

export function listenTo(
  endpoint: Endpoint,
  onMessage: (message: any) => void,
  onGone?: (exitCode?: number) => void,
): () => void {
  const target = endpoint as unknown as EventTarget
  const listener = (event: Event) => onMessage((event as MessageEvent).data)
  target.addEventListener('message', listener)
  const gone = () => onGone?.()
  target.addEventListener('close', gone, { once: true })
  if (isPort(endpoint)) (endpoint as unknown as MessagePort).start()
  return () => {
    target.removeEventListener('message', listener)
    target.removeEventListener('close', gone)
  }
}

export function hasEnded(_endpoint: Endpoint): boolean {
  return false
}

export function onWorkerError(endpoint: Endpoint, onError: (error: unknown) => void): void {
  observeWorkerError(endpoint, onError)
}

/** No event tells of a worker's end here: the supervisor does. */
export const reportsWorkerExit = false

/** Listening handles nothing here, so this is the same. */
export function observeWorkerError(endpoint: Endpoint, onError: (error: unknown) => void): () => void {
  const target = endpoint as unknown as Partial<EventTarget>
  const listener = (event: Event) => onError((event as ErrorEvent).error ?? new Error((event as ErrorEvent).message))
  target.addEventListener?.('error', listener)
  return () => target.removeEventListener?.('error', listener)
}

export function endThread(): void {
  ;(scope as unknown as { close(): void }).close()
}

export function parentEndpoint(): Endpoint | undefined {
  return isMainThread ? undefined : scope
}

/** Workers have no starting data here: it is sent as the first message. */
export function startWorker(module: URL, settings: WorkerSettings): StartedWorker {
  const url = new URL(module)
  for (const arg of settings.args ?? []) url.searchParams.append('arg', arg)
  const worker = new Worker(url, { type: 'module', name: settings.name })
  if (settings.workerData !== undefined) worker.postMessage(settings.workerData, settings.transferList ?? [])
  return worker
}

export function holdWorker(_worker: Endpoint, _hold: boolean): void {}

export function parallelism(): number {
  return navigator.hardwareConcurrency || 1
}

export function startingArguments(): string[] {
  return new URL(scope.location.href).searchParams.getAll('arg')
}

export function holdOpen(): () => void {
  return () => {}
}

export function onOwnExit(_callback: (code: number) => void): void {}

export function onLoopDrained(_callback: () => void): void {}

export function asyncContext<T>(): AsyncContext<T> | undefined {
  return undefined
}

export function terminal(): Terminal | undefined {
  return undefined
}

export const processId: number | undefined = undefined

export function diagnosticsChannel(_name: string): DiagnosticsChannel | undefined {
  return undefined
}

export function warn(message: string, detail: string): void {
  console.warn(`${message}\n${detail}`)
}

export function clock(): number {
  return performance.now()
}

const waiting: Array<() => void> = []
let turn: MessageChannel | undefined

export function soon(callback: () => void): void {
  waiting.push(callback)
  if (!turn) {
    turn = new MessageChannel()
    turn.port1.onmessage = () => waiting.shift()?.()
  }
  turn.port2.postMessage(undefined)
}

/** From the event loop: there is no place behind the microtasks before it. */
export function afterMicrotasks(callback: () => void): void {
  soon(callback)
}

/** A browser runs them by itself alone. */
export function runMicrotasks(): boolean {
  return false
}

/** Loads an ES module by its URL before it returns; false where the runtime can't. */
export function loadModule(_url: string): boolean {
  return false
}

/** Whether plain reads may be seen by this thread out of their order, so that a fence is needed. Nobody tells here. */
export const reordersReads = true

/** Whether an object is a Proxy; false where the runtime doesn't tell. */
export function isProxy(_object: object): boolean {
  return false
}

/** The policy of a page may not let texts be compiled, and the attempt would be reported to its owner. */
export const compiles = false

/** A buffer of so many bytes, to be overwritten at once. */
export function bufferToFill(bytes: number): ArrayBuffer {
  return new ArrayBuffer(bytes)
}

/** Some bytes as a text, a character each; undefined where the runtime has nothing quick for that. */
export const latin1: ((bytes: Uint8Array, start: number, end: number) => string) | undefined = undefined

/** Makes structured clone refuse an object; undefined where the runtime can't. */
export const markUncloneable: ((object: object) => void) | undefined = undefined
