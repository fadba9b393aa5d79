/** A thread that reads records from a ring, asleep in its event loop between them, and says whether they were right. */
import { once } from 'node:events'
import { parentPort } from 'node:worker_threads'
import { currentThread } from '@flatshare/core'
import { announce, fallAsleep, holdOpen, onBell, postsNow, views } from '@flatshare/core/internal'
import { leaveRing, READER, RingReader } from '../../dist/ring.js'

parentPort!.postMessage(currentThread.id)
const [{ ring, writer, count }] = (await once(parentPort!, 'message')) as [
  { ring: number; writer: number; count: number },
]
const reader = new RingReader(ring)
const release = holdOpen()
let next = 0

function take(): void {
  const { start, bytes, kind } = reader
  const isRight = kind === next && views.u8.subarray(start, start + bytes).every((byte) => byte === (next & 0xff))
  if (!isRight) parentPort!.postMessage(`record ${next} is of kind ${kind}, with ${bytes} bytes`)
  next++
}

function look(): void {
  for (;;) {
    const seen = postsNow()
    while (reader.next()) take()
    if (reader.release()) announce(writer)
    if (next === count) {
      leaveRing(ring, READER)
      parentPort!.postMessage('read')
      release()
      return
    }
    if (fallAsleep(seen)) return
  }
}

onBell(look)
look()
