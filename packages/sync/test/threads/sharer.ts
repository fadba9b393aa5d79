/** A thread that does one task with semaphores or conditions; tests start it with a packet of `SharerOrder`. */
import { parentPort, workerData } from 'node:worker_threads'
import { currentThread, unmarshal } from '@flatshare/core'
import { isAlive } from '@flatshare/core/internal'
import type { Condition, Mutex, Permit, Semaphore } from '@flatshare/sync'
import '@flatshare/sync'
import { Cell, RING } from './sharer-cells.js'

export interface SharerOrder {
  task: keyof typeof tasks
  semaphore?: Semaphore
  mutex?: Mutex
  condition?: Condition
  notFull?: Condition
  cells: Int32Array
  rounds?: number
  weight?: number
}

export interface SharerReport {
  id?: number
  waiting?: true
  done?: { abandoned?: boolean; count?: number; sum?: number }
}

type SemaphoreOrder = SharerOrder & { semaphore: Semaphore }
type ConditionOrder = SharerOrder & { mutex: Mutex; condition: Condition; notFull: Condition }

const report = (message: SharerReport) => parentPort!.postMessage(message)

function arrive(cells: Int32Array): void {
  Atomics.add(cells, Cell.arrived, 1)
  Atomics.notify(cells, Cell.arrived)
}

function gate(cells: Int32Array): void {
  while (Atomics.load(cells, Cell.gate) === 0) Atomics.wait(cells, Cell.gate, 0)
}

/** Uses permits: all that are inside at a time may not be more than the semaphore has. */
function use({ semaphore, cells }: SemaphoreOrder, { weight }: Permit): void {
  if (Atomics.add(cells, Cell.inside, weight) + weight > semaphore.permits) Atomics.store(cells, Cell.wrong, 1)
  Atomics.add(cells, Cell.sum, 1)
  Atomics.sub(cells, Cell.inside, weight)
}

/** Uses the only permit; whoever used it before and hasn't said that he is done must be dead, and known to be. */
function useAlone({ cells }: SemaphoreOrder, { abandoned }: Permit): void {
  const before = Atomics.exchange(cells, Cell.inside, currentThread.id)
  if (before !== 0 && (isAlive(before) || !abandoned)) Atomics.store(cells, Cell.wrong, 1)
  Atomics.add(cells, Cell.progress, 1)
  Atomics.store(cells, Cell.inside, 0)
}

function weightOf(i: number, { permits }: Semaphore): number {
  return 1 + ((i * 7) % permits)
}

const rings = {
  put(cells: Int32Array, value: number): void {
    cells[Cell.ring + ((cells[Cell.first]! + cells[Cell.count]!) % RING)] = value
    cells[Cell.count]!++
  },
  take(cells: Int32Array): number {
    const value = cells[Cell.ring + cells[Cell.first]!]!
    cells[Cell.first] = (cells[Cell.first]! + 1) % RING
    cells[Cell.count]!--
    return value
  },
}

const hasItem = (cells: Int32Array) => () => cells[Cell.count]! > 0
const hasRoom = (cells: Int32Array) => () => cells[Cell.count]! < RING

const tasks = {
  useWeights(order: SemaphoreOrder) {
    const { semaphore, cells, rounds } = order
    gate(cells)
    for (let i = 0; i < rounds!; i++) {
      using permit = semaphore.acquireSync(weightOf(i, semaphore))
      use(order, permit)
    }
  },
  async useWeightsAwaiting(order: SemaphoreOrder) {
    const { semaphore, cells, rounds } = order
    gate(cells)
    const lane = async (start: number) => {
      for (let i = start; i < rounds!; i += 2) {
        using permit = await semaphore.acquire(weightOf(i, semaphore))
        use(order, permit)
        // Half of them keep the permits over a turn of the microtask queue.
        if (i % 4 < 2) await Promise.resolve()
      }
    }
    await Promise.all([lane(0), lane(1)])
  },
  useAloneForEver(order: SemaphoreOrder) {
    for (;;) {
      const permit = order.semaphore.acquireSync()
      useAlone(order, permit)
      permit.release()
    }
  },
  async useAloneForEverAwaiting(order: SemaphoreOrder) {
    const lane = async () => {
      for (;;) {
        const permit = await order.semaphore.acquire()
        useAlone(order, permit)
        permit.release()
      }
    }
    await Promise.all([lane(), lane()])
  },
  useWeightsForEver({ semaphore, cells }: SemaphoreOrder) {
    for (let i = currentThread.id; ; i++) {
      const permit = semaphore.acquireSync(weightOf(i, semaphore))
      Atomics.add(cells, Cell.progress, 1)
      permit.release()
    }
  },
  hold({ semaphore, cells, weight }: SemaphoreOrder) {
    semaphore.acquireSync(weight)
    arrive(cells)
    gate(cells)
    for (;;) Atomics.wait(cells, Cell.stop, 0)
  },
  holdAndExit({ semaphore, cells, weight }: SemaphoreOrder) {
    semaphore.acquireSync(weight)
    arrive(cells)
    gate(cells)
    process.exit(3)
  },
  holdAndThrow({ semaphore, cells, weight }: SemaphoreOrder) {
    semaphore.acquireSync(weight)
    arrive(cells)
    gate(cells)
    throw new Error('on purpose')
  },
  block({ semaphore, weight }: SemaphoreOrder) {
    using permit = semaphore.acquireSync(weight)
    report({ done: { abandoned: permit.abandoned } })
  },
  /** Awaits a permit, and blocks for a mutex that another thread has until it has had that permit. */
  async awaitAndBlock({ semaphore, mutex }: SemaphoreOrder & { mutex: Mutex }) {
    const waiting = semaphore.acquire()
    report({ waiting: true })
    mutex.lockSync().release()
    using permit = await waiting
    report({ done: { abandoned: permit.abandoned } })
  },
  produce({ mutex, condition, notFull, cells, rounds }: ConditionOrder) {
    gate(cells)
    for (let i = 1; i <= rounds!; i++) {
      using guard = mutex.lockSync()
      notFull.waitSync(guard, hasRoom(cells))
      rings.put(cells, i)
      condition.notify()
    }
  },
  async produceAwaiting({ mutex, condition, notFull, cells, rounds }: ConditionOrder) {
    gate(cells)
    for (let i = 1; i <= rounds!; i++) {
      using guard = await mutex.lock()
      await notFull.wait(guard, hasRoom(cells))
      rings.put(cells, i)
      condition.notify()
    }
  },
  consume({ mutex, condition, notFull, cells, rounds }: ConditionOrder) {
    gate(cells)
    let sum = 0
    for (let i = 0; i < rounds!; i++) {
      using guard = mutex.lockSync()
      condition.waitSync(guard, hasItem(cells))
      sum += rings.take(cells)
      notFull.notify()
    }
    report({ done: { sum } })
  },
  async consumeAwaiting({ mutex, condition, notFull, cells, rounds }: ConditionOrder) {
    gate(cells)
    let sum = 0
    for (let i = 0; i < rounds!; i++) {
      using guard = await mutex.lock()
      await condition.wait(guard, hasItem(cells))
      sum += rings.take(cells)
      notFull.notify()
    }
    report({ done: { sum } })
  },
  consumeForEver({ mutex, condition, cells }: ConditionOrder) {
    const guard = mutex.lockSync()
    for (;;) {
      condition.waitSync(guard, hasItem(cells))
      rings.take(cells)
    }
  },
  async consumeForEverAwaiting({ mutex, condition, cells }: ConditionOrder) {
    const guard = await mutex.lock()
    for (;;) {
      await condition.wait(guard, hasItem(cells))
      rings.take(cells)
    }
  },
  /** Gives up waiting again and again. */
  consumeImpatiently({ mutex, condition, cells }: ConditionOrder) {
    const guard = mutex.lockSync()
    for (;;) {
      try {
        condition.waitSync(guard, hasItem(cells), { timeout: 0.05 })
        rings.take(cells)
      } catch (error) {
        if (!(error instanceof DOMException)) throw error
      }
    }
  },
  waitOnce({ mutex, condition, cells }: ConditionOrder) {
    using guard = mutex.lockSync()
    arrive(cells)
    condition.waitSync(guard)
    if (Atomics.add(cells, Cell.inside, 1) !== 0) Atomics.store(cells, Cell.wrong, 1)
    Atomics.sub(cells, Cell.inside, 1)
    report({ done: { abandoned: guard.abandoned } })
  },
  async waitOnceAwaiting({ mutex, condition, cells }: ConditionOrder) {
    using guard = await mutex.lock()
    arrive(cells)
    await condition.wait(guard)
    if (Atomics.add(cells, Cell.inside, 1) !== 0) Atomics.store(cells, Cell.wrong, 1)
    Atomics.sub(cells, Cell.inside, 1)
    report({ done: { abandoned: guard.abandoned } })
  },
  holdMutex({ mutex, cells }: ConditionOrder) {
    mutex.lockSync()
    arrive(cells)
    for (;;) Atomics.wait(cells, Cell.stop, 0)
  },
}

const order = unmarshal<SharerOrder>(workerData)
report({ id: currentThread.id })
void (tasks[order.task] as (order: SharerOrder) => void)(order)
