/**
 * The module of the supervisor thread: see `lifecycle.ts` and `introduction.ts` for what is said on its lines.
 *
 * Invariants: it never blocks; a thread is marked dead before anybody is woken or told.
 */

import type { Port } from '#platform'
import { listen, soon, supervisorThread, whenGone } from '#platform'
import { posted } from './inbox.js'
import { lifeName } from './life-name.js'
import type { ThreadExit } from './lifecycle.js'
import { Header, i32, watchArena } from './memory.js'
import { wakeForDeath } from './park.js'
import { exitCodeOf, isAlive, isForeign, markDead, type ThreadId, threadName } from './threads.js'

const lines = new Map<ThreadId, Port>()

/** Threads of other processes, by the thread that has the link to them. */
const foreign = new Map<ThreadId, Set<ThreadId>>()

/** Threads that were introduced to each other. */
const met = new Map<ThreadId, Set<ThreadId>>()
/** Introductions to threads that have joined and whose line hasn't come. */
const waiting = new Map<ThreadId, Array<{ from: ThreadId; port: Port }>>()

interface LineMessage {
  readonly join?: ThreadId
  readonly line?: Port
  readonly ping?: number
  readonly introduce?: ThreadId
  readonly from?: ThreadId
  readonly port?: Port
  readonly foreign?: readonly ThreadId[]
  readonly of?: ThreadId
  readonly gone?: ThreadId
}

function attend(port: Port): void {
  listen(port, (message: LineMessage) => {
    if (message.line) attend(message.line)
    // After what this turn of the event loop has yet to receive: an end may be among it.
    if (message.ping !== undefined) soon(() => port.postMessage({ pong: message.ping }))
    if (message.foreign) for (const id of message.foreign) holdForeign(id, message.of!)
    if (message.gone !== undefined) buried(message.gone)
    if (message.introduce !== undefined) introduce(message.introduce, message.from!, message.port!)
    if (message.join !== undefined) {
      const id = message.join
      if (!lines.has(id)) lines.set(id, port)
      whenGone(port, lifeName(i32[Header.key >> 2], id), () => buried(id))
      port.postMessage({ joined: id })
      for (const { from, port } of waiting.get(id) ?? []) tell(id, { introduced: from, port }, [port])
      waiting.delete(id)
    }
  })
}

function holdForeign(id: ThreadId, of: ThreadId): void {
  const others = foreign.get(of)
  if (!isAlive(of)) buried(id)
  else if (others) others.add(id)
  else foreign.set(of, new Set([id]))
}

function introduce(to: ThreadId, from: ThreadId, port: Port): void {
  if (met.get(to)?.has(from) || !isAlive(to) || isForeign(to)) {
    port.close()
    return
  }
  noteMeeting(to, from)
  noteMeeting(from, to)
  if (lines.has(to)) tell(to, { introduced: from, port }, [port])
  else {
    const others = waiting.get(to) ?? []
    others.push({ from, port })
    waiting.set(to, others)
  }
}

function noteMeeting(one: ThreadId, other: ThreadId): void {
  const known = met.get(one)
  if (known) known.add(other)
  else met.set(one, new Set([other]))
}

function tell(id: ThreadId, message: unknown, transferList: any[] = []): void {
  lines.get(id)!.postMessage(message, transferList)
  posted(id)
}

function buried(id: ThreadId): void {
  const name = threadName(id)
  if (!markDead(id)) return
  lines.delete(id)
  for (const { port } of waiting.get(id) ?? []) port.close()
  waiting.delete(id)
  for (const other of met.get(id) ?? []) met.get(other)?.delete(id)
  met.delete(id)
  for (const others of foreign.values()) others.delete(id)
  wakeForDeath()
  const exit: ThreadExit = { id, name, code: exitCodeOf(id) }
  for (const other of lines.keys()) tell(other, { exit })
  const linked = foreign.get(id)
  foreign.delete(id)
  for (const other of linked ?? []) buried(other)
}

const { arena } = supervisorThread((message: { arena?: SharedArrayBuffer; line?: Port }) => {
  if (message.arena) watchArena(message.arena)
  if (message.line) attend(message.line)
})
if (arena) watchArena(arena)
