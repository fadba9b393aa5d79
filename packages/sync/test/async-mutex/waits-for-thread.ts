/** A program: nothing but a wait for a mutex that another thread holds keeps its main thread going. */
import { Mutex } from '@flatshare/sync/async-mutex'
import { Client, newCells, openGate } from './start.js'

const mutex = new Mutex()
const cells = newCells()
const { worker, has } = new Client({ task: 'hold', mutex, cells })
await has
worker.unref()
const waiting = mutex.acquire()
openGate(cells)
;(await waiting)()
console.log('acquired')
