/** A program: nothing but an awaited signal, barrier and latch keeps its main thread going; when they came, nothing does. */
import { Barrier, Latch, Signal } from '@flatshare/sync'
import { newCells, openGate } from './start.js'
import { Party } from './start-rendezvous.js'

const idle = [new Signal(), new Barrier(2), new Latch(1)]
const cells = newCells()
const latch = new Latch(1)
const barrier = new Barrier(2)
const [signal, answer] = [new Signal({ reset: 'automatic' }), new Signal({ reset: 'automatic' })]
const parties = [
  new Party({ task: 'pong', signal, answer, rounds: 1, cells }),
  new Party({ task: 'meetOnce', barrier, cells }),
  new Party({ task: 'countDown', latch, rounds: 1, cells }),
]
await Promise.all(parties.map((party) => party.id))
for (const { worker } of parties) worker.unref()
signal.set()
await answer.wait()
await barrier.wait()
openGate(cells)
await latch.wait()
console.log(`went, ${idle.length} idle`)
