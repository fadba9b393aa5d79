/** A thread that joins by its packet, says so in shared memory, and ends in the way that it was told. */
import { workerData } from 'node:worker_threads'
import { currentThread, unmarshal } from '@flatshare/core'
import { i32, reach } from '@flatshare/core/internal'

export type Ending = 'exit' | 'return' | 'throw' | 'out of memory' | 'wait' | 'block'

const { cell, ending } = unmarshal<{ cell: number; ending: Ending }>(workerData)
reach(cell + 16)

/** Word 1 of the cell lets it go on. */
function waitForSignal(): void {
  Atomics.wait(i32, (cell >> 2) + 1, 0)
}

Atomics.store(i32, cell >> 2, currentThread.id)
Atomics.notify(i32, cell >> 2)

switch (ending) {
  case 'exit':
    waitForSignal()
    process.exit(7)
    break
  case 'return':
    waitForSignal()
    break
  case 'throw':
    waitForSignal()
    throw new Error('ended on purpose')
  case 'out of memory': {
    waitForSignal()
    const kept: unknown[] = []
    for (;;) kept.push(new Array(1000).fill({}))
  }
  case 'wait':
    setInterval(() => {}, 1000)
    break
  case 'block':
    waitForSignal()
}
