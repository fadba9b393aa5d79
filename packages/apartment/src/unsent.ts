/** What waits for the end of the turn before it is sent. */
import { beforePark, onOwnExit, sayLastWords } from '@flatshare/core/internal'

/** A way on which something waits. */
export interface Unsent {
  flush(): void
  /** As `flush`, for the last time: this thread ends. */
  flushForEver?(): void
}

const unsent = new Set<Unsent>()

export function noteUnsent(link: Unsent): void {
  unsent.add(link)
}

export function forgetUnsent(link: Unsent): void {
  unsent.delete(link)
}

/** Sends now what waits for the end of the turn. */
export function flushLinks(): void {
  for (const link of unsent) link.flush()
}

onOwnExit(() => {
  sayLastWords()
  for (const link of unsent) (link.flushForEver ?? link.flush).call(link)
})
// Who waits for it would wait for what this thread blocks on, too.
beforePark(flushLinks)
