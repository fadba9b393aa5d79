/** A program: nothing but a request that waits keeps its main thread going. */
import { locks } from '@flatshare/sync'
import { Client } from './start.js'

const client = await Client.start()
const { release } = await client.hold('shared with a thread')
release()
const waiting = locks.request('shared with a thread', () => console.log('granted'))
client.worker.unref()
await waiting
