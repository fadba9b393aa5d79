/** Takes and returns blocks of many sizes, each filled with its own mark, and reports any mark that was overwritten. */
import { workerData } from 'node:worker_threads'
import { unmarshal } from '@flatshare/core'
import { allocate, free, i32, reach } from '@flatshare/core/internal'

const { cell, seed, rounds } = unmarshal<{ cell: number; seed: number; rounds: number }>(workerData)
let state = seed
const next = (below: number) => {
  state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
  return state % below
}

const held: Array<{ address: number; bytes: number; mark: number }> = []
let spoilt = 0

function giveBack(index: number): void {
  const [{ address, bytes, mark }] = held.splice(index, 1)
  for (let word = 0; word < bytes >> 2; word++) if (i32[(address >> 2) + word] !== mark) spoilt++
  free(address, bytes)
}

for (let round = 1; round <= rounds; round++) {
  if (held.length > 40 || (held.length > 0 && next(3) === 0)) giveBack(next(held.length))
  const bytes = 4 * (1 + next(round % 50 === 0 ? 5000 : 60))
  const address = allocate(bytes)
  for (let word = 0; word < bytes >> 2; word++) {
    if (i32[(address >> 2) + word] !== 0) spoilt++
    i32[(address >> 2) + word] = seed * 100_000 + round
  }
  held.push({ address, bytes, mark: seed * 100_000 + round })
}
while (held.length > 0) giveBack(0)

reach(cell + 16)
Atomics.add(i32, (cell >> 2) + 1, spoilt)
Atomics.add(i32, cell >> 2, 1)
