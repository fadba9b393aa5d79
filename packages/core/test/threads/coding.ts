/** A thread that reads each value that it is told of, checks it, writes one of its own, and only then lets the other go on. */
import { isDeepStrictEqual } from 'node:util'
import { workerData } from 'node:worker_threads'
import { unmarshal } from '@flatshare/core'
import { freeValue, i32, reach, readValue, writeValue } from '@flatshare/core/internal'
import { sample } from '../samples.js'

/** Word 0: whose turn it is (1 the thread's, 2 the other's); 1: address of the value; 2: how many differed. */
const { cell, rounds } = unmarshal<{ cell: number; rounds: number }>(workerData)
reach(cell + 16)
const word = cell >> 2

for (let round = 0; round < rounds; round++) {
  while (Atomics.load(i32, word) !== 1) Atomics.wait(i32, word, 2)
  const read = i32[word + 1]!
  if (!isDeepStrictEqual(readValue(read), sample(round))) i32[word + 2]!++
  freeValue(read)
  i32[word + 1] = writeValue(sample(round + 1000)).address
  Atomics.store(i32, word, 2)
  Atomics.notify(i32, word)
}
