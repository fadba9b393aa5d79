/** What the apartment of the program serves. */
import { currentThread, initialize, Progress } from 'flatshare'

// As one of several that agree; it is released by the end of this thread.
initialize({ notifications: 'service-thread' })

export function count(items: number, progress: Progress): string {
  if (!(progress instanceof Progress)) throw new TypeError('It is given the progress itself.')
  for (let i = 0; i < items; i++) progress.advance()
  return currentThread.name
}
