/** A thread that decodes each value where the other has encoded it, checks it, and encodes one of its own. */
import { isDeepStrictEqual } from 'node:util'
import { workerData } from 'node:worker_threads'
import { unmarshal } from '@flatshare/core'
import { decodeFromArena, encodeInto, i32, ReceivedShapes, reach, SentShapes } from '@flatshare/core/internal'
import { sample } from '../samples.js'

/** Word 0: whose turn it is (1 the thread's, 2 the other's); 1: where the value ends; 2: how many differed. */
const { cell, room, rounds } = unmarshal<{ cell: number; room: number; rounds: number }>(workerData)
reach(cell + 16 + 2 * room)
const word = cell >> 2
const theirs = cell + 16
const mine = theirs + room
const sent = new SentShapes()
const received = new ReceivedShapes()

for (let round = 0; round < rounds; round++) {
  while (Atomics.load(i32, word) !== 1) Atomics.wait(i32, word, 2)
  const arrived = decodeFromArena(theirs, i32[word + 1]!, { from: 1, shapes: received })
  if (!isDeepStrictEqual(arrived, sample(round))) i32[word + 2]!++
  i32[word + 1] = encodeInto(sample(round + 1000), mine, mine + room, 0, { shapes: sent }) as number
  Atomics.store(i32, word, 2)
  Atomics.notify(i32, word)
}
