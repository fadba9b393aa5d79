/** The inboxes of sources, in the arena, and how this thread is woken for those of its own. */
import { allocate, free, i32, reach, waitAsync } from '@flatshare/core/internal'
import { BLOCK_BYTES, makeInbox, RECORD_BYTES } from './shared-inbox.js'

export const inbox = makeInbox({
  load: (address) => Atomics.load(i32, address >> 2),
  exchange: (address, value) => Atomics.exchange(i32, address >> 2, value),
  compareExchange: (address, expected, replacement) =>
    Atomics.compareExchange(i32, address >> 2, expected, replacement),
  add(address, delta) {
    reach(address + 4)
    Atomics.add(i32, address >> 2, delta)
  },
  notify: (address) => void Atomics.notify(i32, address >> 2),
  get(address) {
    reach(address + RECORD_BYTES)
    return i32[address >> 2]!
  },
  set(address, value) {
    i32[address >> 2] = value
  },
  allocate,
  free,
})

const lookers = new Set<() => void>()
let bell = 0

/** A new inbox of this thread; `look` is called from the event loop whenever something may be in it. It lasts for ever. */
export function openInbox(look: () => void): number {
  if (bell === 0) {
    bell = allocate(4)
    void watch()
  }
  const block = allocate(BLOCK_BYTES)
  inbox.open(block, bell)
  lookers.add(look)
  return block
}

async function watch(): Promise<void> {
  for (;;) {
    const seen = Atomics.load(i32, bell >> 2)
    for (const look of lookers) look()
    await waitAsync(bell, seen, Infinity, { hold: false })
  }
}
