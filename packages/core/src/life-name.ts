import type { ThreadId } from './threads.js'

/** The name of the lock that stands for a thread's life, on runtimes where ports don't tell. */
export function lifeName(arenaKey: number, id: ThreadId): string {
  return `flatshare:${arenaKey}:${id}`
}
