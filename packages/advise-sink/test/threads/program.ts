/** A program that has sinks notified on the service thread, and then has nothing left to do. */
import { AdviseSource } from '@flatshare/advise-sink'
import { initialize } from '@flatshare/core'

const releases = process.argv[2] === 'release'
const flatshare = initialize({ notifications: 'service-thread' })
const source = new AdviseSource<{ carrying: { call: (x: unknown) => void } }>({ events: ['carrying'] })
source.advise('carrying', new URL('./module-sink.js#onNotify', import.meta.url))
const heard = new Promise((call) => source.raise('carrying', { call }))
console.log(((await heard) as unknown[])[1])
if (releases) await flatshare.release()
