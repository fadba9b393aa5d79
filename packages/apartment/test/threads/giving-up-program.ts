/** A whole program that gives calls up, or might have; which one is its argument. Nothing of that keeps it alive. */
import { Apartment, callWith, currentCall } from '@flatshare/apartment'
import { newCells } from './giving-up.js'

const apartment = await Apartment.open<typeof import('./giving-up.js')>(new URL('./giving-up.js', import.meta.url))
const busy = await apartment.create('Busy')
const LONG = 3_600_000
const controller = new AbortController()
const { signal } = controller

switch (process.argv[2]) {
  case 'answered in time':
    await callWith(busy, { timeout: LONG, signal, onAbort: 'terminate', graceTime: LONG }).ping()
    break
  case 'given up in time': {
    const view = callWith(busy, { signal, onAbort: 'terminate', graceTime: LONG })
    await view.listen(() => controller.abort()).catch(() => {})
    break
  }
  case 'served with a deadline':
    await callWith(busy, { timeout: LONG }).waitFor(() => currentCall()!.signal.aborted)
    break
  case 'without an answer': {
    const log = await apartment.create('Log')
    await callWith(log, { reply: false }).write('sent')
    break
  }
  case 'ended': {
    const cells = newCells()
    const pending = callWith(busy, { signal, onAbort: 'terminate', graceTime: 1 }).forever(cells)
    await cells.untilSet(0)
    controller.abort()
    await pending.catch(() => {})
  }
}
// The thread of the last one has ended by itself, so to say.
if (process.argv[2] !== 'ended') await apartment.close()
console.log('done')
