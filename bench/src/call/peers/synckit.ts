// Blocking calls are all that it has. Its worker, one for each module, can't be ended: it doesn't keep the process alive.
import { createSyncFn } from 'synckit'
import type { Peer } from '../peer.js'
import type { add } from '../work.js'

export const synckit: Peer = {
  name: 'synckit',
  async start() {
    const addBlocking = createSyncFn<typeof add>(new URL('./synckit-worker.js', import.meta.url))
    return { addBlocking, close: () => Promise.resolve() }
  },
}
