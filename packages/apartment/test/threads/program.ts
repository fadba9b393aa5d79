/** A whole program: how its apartment ends is its argument. */
import { Apartment } from '@flatshare/apartment'

const apartment = await Apartment.open<typeof import('./store.js')>(new URL('./store.js', import.meta.url))
const relay = await apartment.create('Relay')
await relay.subscribe(() => {})
if (process.argv[2] === 'close') {
  await apartment.close()
  console.log('closed')
} else {
  const waiting = await apartment.create('WaitingObject')
  await waiting.exit(0).catch((error: Error) => console.log(error.name))
}
