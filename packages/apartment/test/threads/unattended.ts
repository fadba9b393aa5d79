/** A whole program that never closes its apartment. */
import { Apartment } from '@flatshare/apartment'

const apartment = await Apartment.open<typeof import('./options.js')>(new URL('./options.js', import.meta.url), {
  keepAlive: false,
})
await apartment.remote.environment('PATH')
console.log('asked')
