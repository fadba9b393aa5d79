/** Opens a process in the way that its argument names, and then has nothing left to do. */
import { isMainThread, Worker } from 'node:worker_threads'
import { Apartment } from '@flatshare/apartment'
import { childProcess } from '@flatshare/process'

const [way] = process.argv.slice(2)
const source = childProcess(new URL('../children/basic.js', import.meta.url))
if (way === 'worker' && isMainThread) new Worker(new URL(import.meta.url), { argv: [way] })
else if (way === 'throws') {
  await Apartment.open(source)
  throw new Error('thrown')
} else {
  const apartment = await Apartment.open<typeof import('../children/basic.js')>(source, {
    keepAlive: way !== 'unheld' && way !== 'unread',
    ...(way === 'unread' && { stdout: true, stderr: true }),
  })
  console.log(`opened from ${isMainThread ? 'main' : 'a worker'}`)
  // A call keeps it alive until it is answered.
  console.log(await apartment.remote.compute(50))
  if (way === 'closed' || way === 'worker') await apartment.close()
  if (way === 'held') setImmediate(() => apartment.remote.exit(0).catch(() => console.log('only now')))
}
