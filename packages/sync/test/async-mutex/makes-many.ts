/** A program that makes mutexes, uses them and drops them; to be run with `--expose-gc`. */
import { arena } from '@flatshare/core/internal'
import { Mutex } from '@flatshare/sync/async-mutex'

async function makeMany(): Promise<void> {
  for (let i = 0; i < 5000; i++) {
    const mutex = new Mutex()
    const release = await mutex.acquire()
    const waiting = mutex.acquire()
    release()
    ;(await waiting)()
  }
  for (let i = 0; i < 5; i++) {
    globalThis.gc!()
    await new Promise((resolve) => setImmediate(resolve))
  }
}

await makeMany()
const before = arena().byteLength
for (let i = 0; i < 6; i++) await makeMany()
// A mutex takes 128 bytes: 80 of its own, 48 for what this thread holds of it.
const wasted = (arena().byteLength - before) / (6 * 5000 * 128)
console.log(wasted < 0.5 ? 'their memory was used again' : `${wasted} of their memory was lost`)
