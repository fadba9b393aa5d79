/** A thread that parks on a word that names its owner, twice, and says for what. */
import { parentPort, workerData } from 'node:worker_threads'
import { currentThread, unmarshal } from '@flatshare/core'
import { i32, park } from '@flatshare/core/internal'

const { word } = unmarshal<{ word: number }>(workerData)
parentPort!.postMessage(currentThread.id)
for (const value of [1, 2]) {
  while (Atomics.load(i32, word >> 2) === value)
    park(word, value, Infinity, { worthwhile: () => true, onNode: true, what: `mutex "${value}"` })
}
parentPort!.postMessage('ended')
