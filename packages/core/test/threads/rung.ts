/** A thread that sleeps in its event loop, and gives back what another one publishes for it, until that is negative. */
import { workerData } from 'node:worker_threads'
import { currentThread, unmarshal } from '@flatshare/core'
import { announce, fallAsleep, holdOpen, i32, onBell, postsNow } from '@flatshare/core/internal'

const { to, word } = unmarshal<{ to: number; word: number }>(workerData)
const there = word >> 2
const back = there + 1
const release = holdOpen()

function look(): void {
  for (;;) {
    const seen = postsNow()
    const value = Atomics.load(i32, there)
    if (value < 0) release()
    if (Atomics.load(i32, back) !== value) {
      Atomics.store(i32, back, value)
      announce(to)
    }
    if (fallAsleep(seen)) return
  }
}

onBell(look)
Atomics.store(i32, there + 2, currentThread.id)
announce(to)
look()
