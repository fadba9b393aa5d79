/** A whole program that uses the object table in all directions, and ends by itself. */
import { Apartment, objectTable, type Remote } from '@flatshare/apartment'
import type { Counter } from './registering.js'

const open = () => Apartment.open<typeof import('./registering.js')>(new URL('./registering.js', import.meta.url))
const [one, other] = await Promise.all([open(), open()])
await one.remote.register('one')
objectTable.register('listener', () => 'heard')
console.log(await other.remote.nextOf('one'), await (await objectTable.get<Remote<Counter>>('one')).next())
await Promise.all([one.close(), other.close()])
console.log(objectTable.names().join())
