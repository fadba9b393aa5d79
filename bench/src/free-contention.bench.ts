import type { Benchmark } from './benchmark.js'
import { Loop } from './free-contention.js'
import { startThreads } from './free-contention-threads.js'

const { alone, together, close } = startThreads()

export default {
  title: 'Adding to a number of one object under its lock: time for each add, of either thread',
  rows: [
    { name: 'a mutex by hand (spin 1,000, then park), two threads', run: together(Loop.addByHand) },
    { name: 'a locked method, two threads', run: together(Loop.add) },
    { name: 'a mutex by hand, one thread', run: alone(Loop.addByHand) },
    { name: 'a locked method, one thread', run: alone(Loop.add) },
  ],
  close,
} satisfies Benchmark
