/** A thread that does one task with a rwlock; tests start it with a packet of `RwOrder`. */
import { parentPort, workerData } from 'node:worker_threads'
import { currentThread, type DeadlockError, unmarshal } from '@flatshare/core'
import type { ReadGuard, RwLock, WriteGuard } from '@flatshare/sync'
import '@flatshare/sync'

export interface RwOrder {
  task: keyof typeof tasks
  lock: RwLock
  second?: RwLock
  cells: Int32Array
  rounds?: number
}

/** What is in the cells. `left` and `right` are what the lock guards: they add up to 0, except while one writes. */
export const Cell = { arrived: 0, never: 1, gate: 2, reads: 3, writes: 4, stop: 5, left: 6, right: 7, torn: 8 } as const

export interface RwReport {
  id?: number
  waiting?: true
  done?: { abandoned?: boolean; error?: { name: string; message: string; cycle?: readonly string[] } }
}

const report = (message: RwReport) => parentPort!.postMessage(message)

function arrive(cells: Int32Array): void {
  Atomics.add(cells, Cell.arrived, 1)
}

function gate(cells: Int32Array): void {
  while (Atomics.load(cells, Cell.gate) === 0) Atomics.wait(cells, Cell.gate, 0)
}

function forever(cells: Int32Array): never {
  for (;;) Atomics.wait(cells, Cell.never, 0)
}

function look(cells: Int32Array, guard: ReadGuard | WriteGuard): void {
  if (!guard.abandoned && cells[Cell.left]! + cells[Cell.right]! !== 0) Atomics.add(cells, Cell.torn, 1)
}

/** Writes with plain stores, some apart from each other; mends what a dead writer left. */
function change(cells: Int32Array, guard: WriteGuard): void {
  if (guard.abandoned) cells[Cell.right] = -cells[Cell.left]!
  look(cells, guard)
  cells[Cell.left]!++
  for (let i = 0; i < 50; i++) cells[Cell.right]!
  cells[Cell.right]!--
}

/** A round that ends by itself; every fourth writes, in one of several ways. */
function round({ lock, cells }: RwOrder, i: number): void {
  if (i % 4 !== 0) {
    using guard = lock.readSync()
    look(cells, guard)
    if (i % 8 !== 1) return
    using again = lock.readSync()
    look(cells, again)
    return
  }
  if (i % 12 === 0) {
    using reading = lock.readSync()
    look(cells, reading)
    // Others may be upgrading.
    using writing = reading.tryUpgrade()
    if (!writing) return
    change(cells, writing)
    Atomics.add(cells, Cell.writes, 1)
    return
  }
  const writing = lock.writeSync()
  change(cells, writing)
  Atomics.add(cells, Cell.writes, 1)
  if (i % 12 === 4) {
    writing.release()
    return
  }
  using reading = writing.downgrade()
  look(cells, reading)
}

const tasks = {
  mix(order: RwOrder) {
    gate(order.cells)
    for (let i = 0; i < order.rounds!; i++) round(order, i)
    report({ done: {} })
  },
  async mixAwaiting({ lock, cells, rounds }: RwOrder) {
    gate(cells)
    const lane = async (first: number) => {
      for (let i = first; i < rounds!; i += 2) {
        if (i % 4 !== 0) {
          using guard = await lock.read()
          look(cells, guard)
          if (i % 3 === 0) await Promise.resolve()
          look(cells, guard)
          continue
        }
        using guard = await lock.write()
        change(cells, guard)
        if (i % 3 === 0) await Promise.resolve()
        look(cells, guard)
        Atomics.add(cells, Cell.writes, 1)
      }
    }
    await Promise.all([lane(0), lane(1)])
    report({ done: {} })
  },
  mixUntilStopped(order: RwOrder) {
    gate(order.cells)
    for (let i = 0; Atomics.load(order.cells, Cell.stop) === 0; i++) {
      round(order, i)
      Atomics.add(order.cells, Cell.reads, 1)
    }
    report({ done: {} })
  },
  readUntilStopped({ lock, cells }: RwOrder) {
    gate(cells)
    while (Atomics.load(cells, Cell.stop) === 0) {
      using guard = lock.readSync({ timeout: Infinity })
      look(cells, guard)
      Atomics.add(cells, Cell.reads, 1)
    }
    report({ done: {} })
  },
  /** Some read of it is held at any time, were there no writers. */
  async readAwaitingUntilStopped({ lock, cells }: RwOrder) {
    gate(cells)
    const lane = async () => {
      while (Atomics.load(cells, Cell.stop) === 0) {
        using guard = await lock.read()
        look(cells, guard)
        Atomics.add(cells, Cell.reads, 1)
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
    await Promise.all([lane(), lane(), lane()])
    report({ done: {} })
  },
  writeUntilStopped({ lock, cells }: RwOrder) {
    gate(cells)
    while (Atomics.load(cells, Cell.stop) === 0) {
      using guard = lock.writeSync({ timeout: Infinity })
      change(cells, guard)
      Atomics.add(cells, Cell.writes, 1)
    }
    report({ done: {} })
  },
  read({ lock, cells }: RwOrder) {
    using guard = lock.readSync()
    arrive(cells)
    gate(cells)
    report({ done: { abandoned: guard.abandoned } })
  },
  write({ lock, cells }: RwOrder) {
    using guard = lock.writeSync()
    arrive(cells)
    gate(cells)
    report({ done: { abandoned: guard.abandoned } })
  },
  readForever({ lock, cells }: RwOrder) {
    lock.readSync()
    arrive(cells)
    forever(cells)
  },
  writeForever({ lock, cells }: RwOrder) {
    lock.writeSync()
    arrive(cells)
    forever(cells)
  },
  blockToRead({ lock }: RwOrder) {
    const guard = lock.readSync()
    const { abandoned } = guard
    guard.release()
    report({ done: { abandoned } })
  },
  blockToWrite({ lock }: RwOrder) {
    const guard = lock.writeSync()
    const { abandoned } = guard
    guard.release()
    report({ done: { abandoned } })
  },
  async waitToWrite({ lock }: RwOrder) {
    const waiting = lock.write()
    report({ waiting: true })
    using guard = await waiting
    report({ done: { abandoned: guard.abandoned } })
  },
  async waitToRead({ lock }: RwOrder) {
    const waiting = lock.read()
    report({ waiting: true })
    using guard = await waiting
    report({ done: { abandoned: guard.abandoned } })
  },
  upgrade({ lock, cells }: RwOrder) {
    using reading = lock.readSync()
    arrive(cells)
    gate(cells)
    attempt(() => {
      using writing = reading.upgradeSync()
      change(cells, writing)
    })
  },
  /** Reads one lock, and writes by the other when both threads have come. */
  nest({ lock, second, cells }: RwOrder) {
    using _outer = lock.readSync()
    arrive(cells)
    gate(cells)
    attempt(() => second!.writeSync().release())
  },
}

function attempt(body: () => void): void {
  try {
    body()
    report({ done: {} })
  } catch (error) {
    const { name, message, cycle } = error as DeadlockError
    report({ done: { error: { name, message, ...(cycle ? { cycle } : {}) } } })
  }
}

if (parentPort) {
  const order = unmarshal<RwOrder>(workerData)
  report({ id: currentThread.id })
  void tasks[order.task](order)
}
