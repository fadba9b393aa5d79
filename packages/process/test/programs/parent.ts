/** Opens a process in the way that its argument names, says so, and waits to be killed. */
import { fork, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Apartment } from '@flatshare/apartment'
import { childProcess } from '@flatshare/process'

const module = new URL('../children/orphan.js', import.meta.url)
const program = fileURLToPath(new URL('../children/orphan-program.js', import.meta.url))
const ways = {
  module: childProcess(module),
  forked: () => fork(program),
  spawned: () => spawn(process.execPath, [program], { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] }),
}

const [way, busy] = process.argv.slice(2)
const apartment = await Apartment.open<typeof import('../children/orphan.js')>(ways[way as keyof typeof ways], {
  startTimeout: 25_000,
})
if (busy) void apartment.remote.compute()
else await apartment.remote.isThere()
console.log('opened')
setInterval(() => {}, 60_000)
