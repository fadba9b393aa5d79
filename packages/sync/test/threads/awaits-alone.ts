/** A program: nothing but an awaited mutex keeps its main thread going. */
import { Mutex } from '@flatshare/sync'
import { Locker, newCells, openGate, reached } from './start.js'

const mutex = new Mutex()
const cells = newCells()
const { worker } = new Locker({ task: 'hold', mutex, cells })
await reached(cells, 0, 1)
worker.unref()
const waiting = mutex.lock()
openGate(cells)
const guard = await waiting
guard.release()
console.log('locked')
