/**
 * How two threads that share nothing but the supervisor come to a port of their own.
 *
 *   asker → supervisor    { introduce: to, from, port }     hand it this port
 *   supervisor → other    { introduced: from, port }        whoever asked has the other end
 *
 * The supervisor never blocks, so no thread needs another one's event loop for it, the main thread's included. A
 * thread that hasn't opened its line yet gets what waits for it then; one that has ended gets nothing, and the port
 * closes.
 *
 * Invariant: two threads are introduced once, however often and from however many sides they ask. The second port
 * of a pair is closed unused: its asker has been, or will be, handed the end of the first.
 */
import type { Port } from '#platform'
import type { ThreadId } from './threads.js'

type Accept = (from: ThreadId, port: Port) => void

let accept: Accept | undefined
/** Introductions that came before anybody accepts them: the package that does hasn't been imported yet. */
const early: Array<[from: ThreadId, port: Port]> = []

/** Calls back for each thread that asks for a port to this one, also for those that have asked before. */
export function onIntroduction(callback: Accept): void {
  accept = callback
  for (const [from, port] of early.splice(0)) callback(from, port)
}

/** An introduction has come by this thread's line. */
export function introduced(from: ThreadId, port: Port): void {
  if (accept) accept(from, port)
  else early.push([from, port])
}
