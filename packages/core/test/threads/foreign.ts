/** Has a link to a thread of another process, until it ends. */
import { parentPort, workerData } from 'node:worker_threads'
import { type Packet, unmarshal } from '@flatshare/core'
import { joinForeign } from '@flatshare/core/internal'

unmarshal(workerData as Packet)
const home = { process: 'elsewhere', pid: 4711, thread: 1, name: 'main' }
const { id } = joinForeign(home, 'far away')
parentPort!.postMessage(id)
parentPort!.once('message', () => process.exit(0))
