/** A thread that does one task with a mutex; tests start it with a packet of `Order`. */
import { parentPort, workerData } from 'node:worker_threads'
import { currentThread, type DeadlockError, unmarshal } from '@flatshare/core'
import type { Mutex } from '@flatshare/sync'
import '@flatshare/sync'

export interface Order {
  task: keyof typeof tasks
  mutex: Mutex
  second?: Mutex
  /** Cells for fences: 0 and 1 count arrivals, 2 opens a gate, 3 is the counter. */
  cells: Int32Array
  rounds?: number
}

export interface Report {
  id?: number
  waiting?: true
  done?: { abandoned?: boolean; turn?: number; error?: { name: string; message: string; cycle?: readonly string[] } }
}

const report = (message: Report) => parentPort!.postMessage(message)

function arrive(cells: Int32Array, cell = 0): void {
  Atomics.add(cells, cell, 1)
  Atomics.notify(cells, cell)
}

function gate(cells: Int32Array): void {
  while (Atomics.load(cells, 2) === 0) Atomics.wait(cells, 2, 0)
}

const tasks = {
  count({ mutex, cells, rounds }: Order) {
    gate(cells)
    for (let i = 0; i < rounds!; i++) {
      const guard = mutex.lockSync()
      cells[3]!++
      guard.release()
    }
    report({ done: {} })
  },
  async countAwaiting({ mutex, cells, rounds }: Order) {
    gate(cells)
    const lane = async () => {
      for (let i = 0; i < rounds! / 2; i++) {
        const guard = await mutex.lock()
        cells[3]!++
        // Half of them keep the lock over a turn of the microtask queue.
        if (i % 2) await Promise.resolve()
        guard.release()
      }
    }
    await Promise.all([lane(), lane()])
    report({ done: {} })
  },
  hold({ mutex, cells }: Order) {
    const guard = mutex.lockSync()
    arrive(cells)
    gate(cells)
    guard.release()
    report({ done: {} })
  },
  holdForever({ mutex, cells }: Order) {
    mutex.lockSync()
    arrive(cells)
    Atomics.wait(cells, 1, -1)
    for (;;) Atomics.wait(cells, 1, Atomics.load(cells, 1))
  },
  holdAndExit({ mutex, cells }: Order) {
    mutex.lockSync()
    arrive(cells)
    gate(cells)
    process.exit(3)
  },
  holdAndThrow({ mutex, cells }: Order) {
    mutex.lockSync()
    arrive(cells)
    gate(cells)
    throw new Error('on purpose')
  },
  block({ mutex }: Order) {
    report({ waiting: true })
    const guard = mutex.lockSync()
    const { abandoned } = guard
    guard.release()
    report({ done: { abandoned } })
  },
  async wait({ mutex, cells }: Order) {
    const waiting = mutex.lock()
    report({ waiting: true })
    const guard = await waiting
    const { abandoned } = guard
    const turn = Atomics.add(cells, 3, 1)
    guard.release()
    report({ done: { abandoned, turn } })
  },
  hammer({ mutex, cells }: Order) {
    arrive(cells)
    while (Atomics.load(cells, 2) === 0) mutex.lockSync().release()
    report({ done: {} })
  },
  nest({ mutex, second, cells }: Order) {
    try {
      using _outer = mutex.lockSync()
      arrive(cells)
      while (Atomics.load(cells, 0) < 2) Atomics.wait(cells, 0, 1)
      using _inner = second!.lockSync()
      report({ done: {} })
    } catch (error) {
      const { name, message, cycle } = error as DeadlockError
      report({ done: { error: { name, message, cycle } } })
    }
  },
}

const order = unmarshal<Order>(workerData)
report({ id: currentThread.id })
void tasks[order.task](order)
