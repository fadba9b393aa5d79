/**
 * The module of the supervisor thread: see `lifecycle.ts` for what is said on its lines.
 *
 * Invariants: it never blocks; a thread is marked dead before anybody is woken or told.
 */

import type { Port } from '#platform'
import { listen, supervisorThread, whenGone } from '#platform'
import { lifeName } from './life-name.js'
import type { ThreadExit } from './lifecycle.js'
import { Header, i32, watchArena } from './memory.js'
import { wakeForDeath } from './park.js'
import { exitCodeOf, markDead, type ThreadId, threadName } from './threads.js'

const lines = new Map<ThreadId, Port>()

function attend(port: Port): void {
  listen(port, (message: { join?: ThreadId; line?: Port; ping?: number }) => {
    if (message.line) attend(message.line)
    if (message.ping !== undefined) port.postMessage({ pong: message.ping })
    if (message.join !== undefined) {
      const id = message.join
      if (!lines.has(id)) lines.set(id, port)
      whenGone(port, lifeName(i32[Header.key >> 2], id), () => buried(id))
      port.postMessage({ joined: id })
    }
  })
}

function buried(id: ThreadId): void {
  const name = threadName(id)
  if (!markDead(id)) return
  lines.delete(id)
  wakeForDeath()
  const exit: ThreadExit = { id, name, code: exitCodeOf(id) }
  for (const line of lines.values()) line.postMessage({ exit })
}

const { arena } = supervisorThread((message: { arena?: SharedArrayBuffer; line?: Port }) => {
  if (message.arena) watchArena(message.arena)
  if (message.line) attend(message.line)
})
if (arena) watchArena(arena)
