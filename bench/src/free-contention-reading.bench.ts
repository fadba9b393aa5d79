import type { Benchmark } from './benchmark.js'
import { Loop } from './free-contention.js'
import { startThreads } from './free-contention-threads.js'

const { alone, together, close } = startThreads()

export default {
  title: 'Reading two numbers of one object: time for each read, of either thread',
  rows: [
    { name: 'a mutex by hand, two threads', run: together(Loop.readByHand) },
    { name: 'a mutex by hand, one thread', run: alone(Loop.readByHand) },
    { name: 'a method, two threads', run: together(Loop.readExclusively) },
    { name: 'a method, one thread', run: alone(Loop.readExclusively) },
    { name: '@Reads(), two threads', run: together(Loop.readAmongReaders) },
    { name: '@Reads(), one thread', run: alone(Loop.readAmongReaders) },
    { name: '@Reads({ optimistic: true }), two threads', run: together(Loop.readOptimistically) },
    { name: '@Reads({ optimistic: true }), one thread', run: alone(Loop.readOptimistically) },
  ],
  close,
} satisfies Benchmark
