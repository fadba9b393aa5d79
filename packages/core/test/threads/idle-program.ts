/** A program whose threads sleep with their doorbells armed, and have nothing else to do: it must end by itself. */
import { Worker } from 'node:worker_threads'
import { currentThread, marshal } from '@flatshare/core'
import { allocate, fallAsleep, i32, onBell, postsNow } from '@flatshare/core/internal'

const word = allocate(16)
const lookAgain = () => void fallAsleep(postsNow())
let found = 0
onBell(() => {
  // The worker's end rings as well.
  if (found === Atomics.load(i32, word >> 2)) return lookAgain()
  found = Atomics.load(i32, word >> 2)
  console.log(`found ${found}`)
  Atomics.store(i32, (word >> 2) + 1, found)
  Atomics.notify(i32, (word >> 2) + 1)
  lookAgain()
})
lookAgain()
const [packet, transferList] = marshal({ to: currentThread.id, word, rounds: 1 })
const worker = new Worker(new URL('./ringing.js', import.meta.url), { workerData: packet, transferList })
worker.on('exit', (code) => console.log(`the worker has ended with ${code}`))
