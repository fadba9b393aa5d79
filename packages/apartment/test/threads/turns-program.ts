/** A whole program whose ticks and microtasks throw, in the turns in which calls are answered. */
import { Apartment } from '@flatshare/apartment'

const ROUNDS = 300
const heard: unknown[] = []
process.on('uncaughtException', (error: unknown) => heard.push(error))

const apartment = await Apartment.open<typeof import('./loaded.js')>(new URL('./loaded.js', import.meta.url))
const counter = await apartment.create('Counter')
const order: string[] = []
for (let i = 0; i < ROUNDS; i++) {
  await counter.hit()
  process.nextTick(() => {
    order.push('tick')
    throw new Error('of a tick')
  })
  queueMicrotask(() => {
    order.push('microtask')
    throw new Error('of a microtask')
  })
  await counter.hit()
  order.push('answer')
}
await apartment.close()

const wrong = order.findIndex((what, i) => (what === 'answer') !== (i % 3 === 2))
console.log(wrong < 0 && heard.length === 2 * ROUNDS ? 'done' : `${heard.length} errors, wrong order at ${wrong}`)
