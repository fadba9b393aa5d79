/** Calls for a while, then leaves its links open: prints the share of a core that its threads use meanwhile, and ends. */
import { Apartment, blocking, type LinkKind } from '@flatshare/apartment'
import { Counter } from './loaded.js'

const link = process.argv[2] as LinkKind
const WINDOW = 500

const url = new URL('./loaded.js', import.meta.url)
const apartments = await Promise.all(
  [1, 2].map(() => Apartment.open<typeof import('./loaded.js')>(url, { link, keepAlive: false })),
)
const [counter, other] = await Promise.all(apartments.map((apartment) => apartment.create('Counter')))
for (let i = 0; i < 1000; i++) await counter!.hit()
for (let i = 0; i < 1000; i++) blocking(counter!).hit()
await Promise.all(Array.from({ length: 10_000 }, () => counter!.hit()))
const own = new Counter()
const flooder = await apartments[1]!.create('Flooder')
await flooder.sendAll(counter!, 1000)
await flooder.sendAll(own as never, 1000)
await other!.callBack(() => counter!.callBack(() => other!.hit()))

// What was made meanwhile is collected, compiled and torn down by then.
await new Promise((resolve) => setTimeout(resolve, WINDOW))
const [began, before] = [performance.now(), process.cpuUsage()]
await new Promise((resolve) => setTimeout(resolve, WINDOW))
const { user, system } = process.cpuUsage(before)
console.log(JSON.stringify({ share: (user + system) / 1000 / (performance.now() - began) }))
