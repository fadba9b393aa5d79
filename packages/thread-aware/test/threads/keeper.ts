// A thread that has contexts of its own, says in shared memory what was disposed of, and ends as it is told to.
import { parentPort, workerData } from 'node:worker_threads'
import { PerThread, ThreadAware, threadContext } from '@flatshare/thread-aware'

const { log, ending } = workerData as { log: Int32Array; ending: 'exit' | 'throw' | 'return' }

class Cursor {
  constructor(readonly word: number) {}
  [Symbol.dispose]() {
    Atomics.add(log, this.word, 1)
  }
}

class Connection {
  constructor(readonly word: number) {}
  async [Symbol.asyncDispose]() {
    Atomics.add(log, this.word, 1)
  }
}

@ThreadAware()
class Table {
  @PerThread(() => new Cursor(0)) cursor!: Cursor
  @PerThread(() => new Connection(1)) connection!: Connection
  @PerThread() replaced: Cursor | undefined
  @PerThread(() => 'nothing to dispose of') note!: string
}

const tables = Array.from({ length: 100 }, () => new Table())
for (const table of tables) {
  void table.cursor
  void table.connection
  void table.note
}
threadContext<{ replaced: Cursor }>(tables[0]!).replaced = new Cursor(2)
parentPort!.postMessage('ready')
parentPort!.once('message', () => {
  if (ending === 'exit') process.exit(0)
  if (ending === 'throw') throw new Error('ended on purpose')
  parentPort!.close()
})
