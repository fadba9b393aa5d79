/** A program that has initialised and uses a bit of everything; how it ends is its first argument. */
import { AdviseSource, Apartment, initialize, Progress } from 'flatshare'

type Served = typeof import('./served.js')

const [what] = process.argv.slice(2)
const flatshare = initialize({ notifications: 'service-thread' })
process.on('exit', (code) => console.log('ended', code))
const apartment = await Apartment.open<Served>(new URL('./served.js', import.meta.url), {
  name: 'counting',
  keepAlive: what === 'closes and releases',
})
const progress = new Progress({ total: 3, label: 'Counting' })
console.log(await apartment.remote.count(3, progress as never), progress.value, progress.signal.aborted)

const source = new AdviseSource<{ created: string }>({ events: ['created'] })
await new Promise<void>((heard) => {
  void source.advise('created', () => heard())
  source.raise('created', 'a message')
})
console.log('notified')
if (what === 'closes and releases') await apartment.close()
if (what !== 'does neither') await flatshare.release()
console.log('through')
