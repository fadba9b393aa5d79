/** Opens a process, and is interrupted: with an argument it hears of that, and goes on for a moment. */
import { once } from 'node:events'
import { Apartment } from '@flatshare/apartment'
import { childProcess } from '@flatshare/process'

const source = childProcess(new URL('../children/basic.js', import.meta.url), {
  restart: { policy: 'on-failure', onRestart: () => console.log('started again') },
})
const apartment = await Apartment.open<typeof import('../children/basic.js')>(source)
const [signal] = process.argv.slice(2)
const pid = await apartment.remote.pid()
const interrupted = signal === undefined ? new Promise(() => {}) : once(process, signal)
console.log('opened')
await interrupted
console.log((await apartment.remote.pid()) === pid ? 'still there' : 'another one')
await apartment.close()
console.log('closed')
