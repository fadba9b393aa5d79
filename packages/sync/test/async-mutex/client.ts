/** A thread that does one task with a semaphore or a mutex; tests start it with a packet of `Order`. */
import { parentPort, workerData } from 'node:worker_threads'
import { unmarshal } from '@flatshare/core'
import type { Mutex, Semaphore } from '@flatshare/sync/async-mutex'
import '@flatshare/sync/async-mutex'

export interface Order {
  task: keyof typeof tasks
  semaphore?: Semaphore
  mutex?: Mutex
  /** For fences: 0 opens a gate, 1 counts, 2 is the weight inside, 3 the most that it was, 4 … the order of entering. */
  cells: Int32Array
  rounds?: number
  weight?: number
  priority?: number
  /** What it writes into the order of entering. */
  mark?: number
}

export interface Report {
  /** It has asked, and waits. */
  asked?: true
  /** It has what it asked for. */
  has?: true
  done?: { value?: number; error?: { name: string; message: string; code?: string } }
}

const report = (message: Report) => parentPort!.postMessage(message)

/** A turn of the event loop: the thread doesn't block, so that it can be served. */
const turn = () => new Promise((resolve) => setImmediate(resolve))

async function gate(cells: Int32Array): Promise<void> {
  while (Atomics.load(cells, 0) === 0) await turn()
}

function enter(cells: Int32Array, weight: number): void {
  const inside = Atomics.add(cells, 2, weight) + weight
  for (;;) {
    const most = Atomics.load(cells, 3)
    if (inside <= most || Atomics.compareExchange(cells, 3, most, inside) === most) return
  }
}

function leave(cells: Int32Array, weight: number): void {
  Atomics.sub(cells, 2, weight)
}

function markDown(cells: Int32Array, mark: number): void {
  const at = 4 + Atomics.add(cells, 1, 1)
  Atomics.store(cells, at, mark)
}

const tasks = {
  /** Counts without atomics, over an await, in each way to hold the lock. */
  async count({ semaphore, mutex, cells, rounds }: Order) {
    const count = async () => {
      const seen = cells[1]!
      await Promise.resolve()
      cells[1] = seen + 1
    }
    report({ asked: true })
    await gate(cells)
    const lane = async () => {
      for (let i = 0; i < rounds!; i++) {
        if (i % 3 === 0) await (mutex ?? semaphore)!.runExclusive(count)
        else if (mutex) {
          const release = await mutex.acquire()
          await count()
          if (i % 2) release()
          else mutex.release()
        } else {
          const [, release] = await semaphore!.acquire()
          await count()
          release()
        }
      }
    }
    await Promise.all([lane(), lane()])
    report({ done: {} })
  },

  /** Enters with different weights and priorities; notes how much was inside at most. */
  async crowd({ semaphore, cells, rounds }: Order) {
    report({ asked: true })
    await gate(cells)
    const lane = async (lane: number) => {
      for (let i = 0; i < rounds!; i++) {
        const weight = 1 + ((i + lane) % 3)
        const [, release] = await semaphore!.acquire(weight, i % 2)
        enter(cells, weight)
        await Promise.resolve()
        leave(cells, weight)
        release()
      }
    }
    await Promise.all([lane(0), lane(1), lane(2)])
    report({ done: {} })
  },

  /** Waits its turn, leaves its mark, releases. */
  async queue({ semaphore, cells, weight, priority, mark }: Order) {
    const waiting = semaphore!.acquire(weight, priority)
    report({ asked: true })
    const [value, release] = await waiting
    markDown(cells, mark!)
    release()
    report({ done: { value } })
  },

  /** Takes, and keeps until the gate opens. */
  async hold({ semaphore, mutex, cells, weight }: Order) {
    const release = mutex ? await mutex.acquire() : (await semaphore!.acquire(weight))[1]
    report({ has: true })
    await gate(cells)
    release()
    report({ done: {} })
  },

  /** Takes, and ends the thread with it when the gate opens. */
  async holdAndExit({ semaphore, cells, weight }: Order) {
    await semaphore!.acquire(weight)
    report({ has: true })
    await gate(cells)
    process.exit(3)
  },

  async holdAndThrow({ semaphore, cells, weight }: Order) {
    await semaphore!.acquire(weight)
    report({ has: true })
    await gate(cells)
    throw new Error('on purpose')
  },

  /** Takes, gives a part of it back, and waits for more than there will be. */
  async holdAndAsk({ semaphore, weight }: Order) {
    await semaphore!.acquire(weight)
    semaphore!.release(1)
    const waiting = semaphore!.acquire(1000, 1)
    report({ has: true })
    await waiting
  },

  /** Waits to be served, told or cancelled, and says which. */
  async wait({ semaphore, mutex, weight }: Order) {
    const waiting = mutex ? mutex.acquire() : semaphore!.acquire(weight)
    report({ asked: true })
    try {
      const ticket = await waiting
      report({ done: { value: Array.isArray(ticket) ? ticket[0] : 0 } })
    } catch (error) {
      const { name, message, code } = error as Error & { code?: string }
      report({ done: { error: { name, message, code: code! } } })
    }
  },

  async waitForUnlock({ semaphore, mutex, weight, priority }: Order) {
    const waiting = mutex ? mutex.waitForUnlock(priority) : semaphore!.waitForUnlock(weight, priority)
    report({ asked: true })
    await waiting
    report({ done: {} })
  },

  async releaseOnce({ semaphore, mutex }: Order) {
    if (mutex) mutex.release()
    else semaphore!.release()
    report({ done: {} })
  },

  async setValue({ semaphore, weight }: Order) {
    semaphore!.setValue(weight!)
    report({ done: { value: semaphore!.getValue() } })
  },
}

const order = unmarshal<Order>(workerData)
void tasks[order.task](order)
