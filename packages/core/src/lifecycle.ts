/**
 * How threads learn that a thread has ended.
 *
 * A supervisor thread, which never blocks, holds one end of a *line* (a message port) to every thread;
 * the other end closes with its thread, however that ends. It starts with the second thread.
 *
 *   thread → supervisor   { join: id }          this line is thread id's
 *                         { line: port }        another line, travelling in a packet to a thread yet unknown
 *                         { ping: n }           answered { pong: n }, after every end noticed before
 *                         { introduce: id, … }  see `introduction.ts`
 *                         { foreign: ids, of }  these threads of other processes end with thread `of`, at the latest
 *                         { gone: id }          such a one has ended
 *   supervisor → thread   { joined: id }        from now on the end of this thread is noticed
 *                         { exit: ThreadExit }  a thread has ended
 *                         { introduced: id, … } see `introduction.ts`
 *
 * How a thread gets its line: the root makes one when it starts the supervisor; a thread that gets a
 * packet finds one in it; any other sends one through the root, which needs the root's event loop.
 * A thread may hold two lines while its first is unconfirmed; the first to close tells of its end.
 */

import type { Port, SupervisorThread } from '#platform'
import {
  announceLife,
  holdPort,
  listen,
  onLoopDrained,
  onOwnExit,
  receiveAsRoot,
  receiveNow,
  sendToRoot,
  soon,
  startSupervisor,
} from '#platform'
import { introduced } from './introduction.js'
import { lifeName } from './life-name.js'
import { arena, Header, i32, isRoot } from './memory.js'
import {
  exitCodeOf,
  hasJoined,
  livingThreads,
  markDead,
  noteExitCode,
  noteExitCodeOf,
  onJoin,
  ownThreadId,
  type ThreadId,
  threadName,
} from './threads.js'

/** A thread that has ended. */
export interface ThreadExit {
  readonly id: ThreadId
  readonly name: string
  /** Its exit code; undefined where it was terminated or ran out of memory. */
  readonly code: number | undefined
}

let supervisor: SupervisorThread | undefined
let line: Port | undefined
const lines: Port[] = []
let confirmed = false
/** The threads of other processes to which this thread has a link. */
const foreign = new Set<ThreadId>()

function openLine(port: Port): void {
  const id = ownThreadId()
  line = port
  lines.push(port)
  listen(port, (message) => receive(message as LineMessage))
  // At once where nothing is to be announced: the thread may block before its next microtask.
  const announced = announceLife(lifeName(i32[Header.key >> 2], id))
  if (announced) void announced.then(() => port.postMessage({ join: id }))
  else port.postMessage({ join: id })
  if (foreign.size > 0) port.postMessage({ foreign: [...foreign], of: id })
}

/** Starts supervision, if this thread is the root and it hasn't started. Does nothing elsewhere. */
function superviseFromHere(): void {
  if (!isRoot() || Atomics.compareExchange(i32, Header.supervisor >> 2, 0, 1) !== 0) return
  supervisor = startSupervisor(arena())
  ownThreadId()
  if (!line) openLine(newLine())
}

/** A fresh port whose other end the supervisor holds. */
export function newLine(): Port {
  const { port1, port2 } = new MessageChannel()
  if (isRoot()) {
    superviseFromHere()
    supervisor!.postMessage({ line: port2 }, [port2])
  } else if (line) {
    line.postMessage({ line: port2 }, [port2])
  } else {
    sendToRoot(i32[Header.rootId >> 2], { line: port2 }, [port2])
  }
  return port1
}

/** Has the end of this thread be that of a thread of another process as well. */
export function holdForeign(id: ThreadId): void {
  foreign.add(id)
  line?.postMessage({ foreign: [id], of: ownThreadId() })
}

/** A thread of another process has ended, or is not linked to this one any more. Again does nothing. */
export function endForeign(id: ThreadId, code?: number): void {
  if (!foreign.delete(id)) return
  if (code !== undefined) noteExitCodeOf(id, code)
  if (line) line.postMessage({ gone: id })
  else {
    // Without a supervisor this thread is alone in its process.
    const name = threadName(id)
    if (markDead(id)) soon(() => receive({ exit: { id, name, code: exitCodeOf(id) } }))
  }
}

/** Hands one end of a channel to another thread; it gets there even while that thread, or the main thread, blocks. */
export function introduce(to: ThreadId, port: Port): void {
  const from = ownThreadId()
  if (!line) superviseFromHere()
  line!.postMessage({ introduce: to, from, port }, [port])
}

let pendingLine: Port | undefined

/** Joins by the line that came in a packet; a thread whose own line works lets it go. */
export function joinBy(port: Port): void {
  if (!hasJoined()) {
    pendingLine = port
    ownThreadId()
  } else if (confirmed) port.close()
  else openLine(port)
}

onJoin(() => {
  onOwnExit(noteExitCode)
  if (pendingLine) {
    openLine(pendingLine)
    pendingLine = undefined
  } else if (!isRoot()) openLine(newLine())
})

// The root passes on the lines of threads that have no other way to the supervisor.
receiveAsRoot((message: { line?: Port }) => {
  if (!message.line || !isRoot()) return
  superviseFromHere()
  supervisor!.postMessage({ line: message.line }, [message.line])
})

const listeners = new Set<(exit: ThreadExit) => void>()
const internalListeners = new Set<(exit: ThreadExit) => void>()
const pings = new Map<number, () => void>()
let lastPing = 0

interface LineMessage {
  readonly joined?: ThreadId
  readonly exit?: ThreadExit
  readonly pong?: number
  readonly introduced?: ThreadId
  readonly port?: Port
}

/** Exits that came while this thread blocked; listeners hear of them from its event loop. */
const untold: ThreadExit[] = []

function tell(): void {
  for (const exit of untold.splice(0)) for (const listener of [...listeners]) callListener(listener, exit)
}

function receive(message: LineMessage, blocked = false): void {
  if (message.joined !== undefined) confirmed = true
  if (message.exit) {
    const exit = Object.freeze(message.exit)
    for (const listener of internalListeners) listener(exit)
    untold.push(exit)
  }
  if (untold.length > 0) {
    if (blocked) soon(tell)
    else tell()
  }
  if (message.introduced !== undefined) introduced(message.introduced, message.port!)
  if (message.pong !== undefined) {
    pings.get(message.pong)?.()
    pings.delete(message.pong)
  }
}

/**
 * Receives now what the supervisor has said, for a thread that blocks: ends of threads (whose users' listeners are
 * called later, from the event loop) and introductions. Does nothing where a port can't be read without the event loop.
 */
export function drainLines(): void {
  for (const port of lines) {
    for (let next = receiveNow(port); next; next = receiveNow(port)) receive(next.message as LineMessage, true)
  }
}

function callListener(listener: (exit: ThreadExit) => void, exit: ThreadExit): void {
  try {
    listener(exit)
  } catch (error) {
    // As an event listener's error: it breaks neither the other listeners nor the framework.
    queueMicrotask(() => {
      throw error
    })
  }
}

/** For the packages of Flatshare: called before the users' listeners. */
export function onThreadExitInternal(listener: (exit: ThreadExit) => void): void {
  internalListeners.add(listener)
}

/**
 * Resolves when the supervisor has noticed every end that came before this call; false where nothing is
 * supervised yet. It keeps the event loop alive meanwhile.
 */
export function settleExits(): Promise<boolean> {
  if (!line) return Promise.resolve(false)
  const port = line
  const ping = ++lastPing
  holdPort(port, true)
  return new Promise((resolve) => {
    pings.set(ping, () => {
      if (pings.size === 1) holdPort(port, false)
      resolve(true)
    })
    port.postMessage({ ping })
  })
}

// A worker's end and the end of this thread's own work can come together: those who asked to hear of
// the first must not miss it for the second.
let askedWith = -1
onLoopDrained(() => {
  if (listeners.size === 0 || !hasJoined() || !confirmed) return
  const others = livingThreads().length - 1
  // Also where nobody else is left: the supervisor marks a thread dead before it tells of it.
  const state = others * 0x10000 + i32[Header.deaths >> 2]
  if (state === askedWith) return
  askedWith = state
  void settleExits()
})

/**
 * Calls `listener` on this thread whenever another thread that uses Flatshare has ended: by itself, by
 * an uncaught error, out of memory, or by `terminate()`; also while other threads block.
 *
 * The listener doesn't keep the process alive. It is called from the event loop, so not while this
 * thread blocks. Ends that came before the call are not reported.
 *
 * @returns a function that ends it; it is disposable as well.
 * @example
 * using watching = onThreadExit(({ name, code }) => console.error(`${name} has ended`, code))
 */
export function onThreadExit(
  listener: (exit: ThreadExit) => void,
  options: { signal?: AbortSignal } = {},
): (() => void) & Disposable {
  if (typeof listener !== 'function')
    throw new TypeError('onThreadExit takes a function, which is called with the exit.')
  ownThreadId()
  // One entry a call, so that the same function given twice is ended twice.
  const entry = (exit: ThreadExit) => listener(exit)
  if (!options.signal?.aborted) listeners.add(entry)
  const stop = () => {
    listeners.delete(entry)
    options.signal?.removeEventListener('abort', stop)
  }
  options.signal?.addEventListener('abort', stop, { once: true })
  return Object.assign(stop, { [Symbol.dispose]: stop })
}
