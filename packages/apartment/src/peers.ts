/** The links of this thread. */
import { onThreadExitInternal } from '@flatshare/core/internal'
import type { Peer } from './peer.js'

/** One end of each, this thread's. */
export const peers = new Set<Peer>()

let whenAnswered: (() => void) | undefined

/** Receives now what has come by any link, also by those that come with it. */
export function drainLinks(): void {
  for (const peer of peers) peer.link.drain()
}

/** Calls back once this thread serves no call. */
export function whenAllAnswered(callback: () => void): void {
  whenAnswered = callback
  noteAnswered()
}

/** A call was answered: it may have been the last. */
export function noteAnswered(): void {
  if (!whenAnswered) return
  for (const peer of peers) if (peer.serving.size > 0) return
  whenAnswered()
}

onThreadExitInternal(({ id }) => {
  for (const peer of [...peers]) if (peer.threadId === id && !peer.settings.watched) peer.end()
})
