/** A thread that does one task with a signal, a barrier or a latch; tests start it with a packet of `RendezvousOrder`. */
import { parentPort, workerData } from 'node:worker_threads'
import { currentThread, unmarshal } from '@flatshare/core'
import type { Barrier, Latch, Signal } from '@flatshare/sync'
import '@flatshare/sync'

export interface RendezvousOrder {
  task: keyof typeof tasks
  /** Cells for fences: 0 counts arrivals, 1 is the counter of the test, 2 opens a gate. */
  cells: Int32Array
  signal?: Signal
  answer?: Signal
  barrier?: Barrier
  latch?: Latch
  rounds?: number
}

export interface RendezvousReport {
  id?: number
  /** It waits, without blocking. */
  waiting?: true
  done?: RendezvousResult
}

export interface RendezvousResult {
  /** Of a barrier's generations, those that this thread led. */
  led?: number[]
  /** The number of the last generation. */
  generation?: number
  error?: { name: string; message: string }
}

const report = (message: RendezvousReport) => parentPort!.postMessage(message)

function arrive(cells: Int32Array): void {
  Atomics.add(cells, 0, 1)
  Atomics.notify(cells, 0)
}

function gate(cells: Int32Array): void {
  while (Atomics.load(cells, 2) === 0) Atomics.wait(cells, 2, 0)
}

const tasks = {
  pong({ signal, answer, rounds, cells }: RendezvousOrder) {
    for (let i = 0; i < rounds!; i++) {
      signal!.waitSync()
      cells[1]!++
      answer!.set()
    }
    report({ done: {} })
  },
  async pongAwaiting({ signal, answer, rounds, cells }: RendezvousOrder) {
    for (let i = 0; i < rounds!; i++) {
      await signal!.wait()
      cells[1]!++
      answer!.set()
    }
    report({ done: {} })
  },
  /** Counts with an automatic signal as its lock. */
  count({ signal, rounds, cells }: RendezvousOrder) {
    gate(cells)
    for (let i = 0; i < rounds!; i++) {
      signal!.waitSync()
      cells[1]!++
      signal!.set()
    }
    report({ done: {} })
  },
  async countAwaiting({ signal, rounds, cells }: RendezvousOrder) {
    gate(cells)
    const lane = async () => {
      for (let i = 0; i < rounds! / 2; i++) {
        await signal!.wait()
        cells[1]!++
        signal!.set()
      }
    }
    await Promise.all([lane(), lane()])
    report({ done: {} })
  },
  block({ signal, cells }: RendezvousOrder) {
    signal!.waitSync()
    arrive(cells)
    report({ done: {} })
  },
  async wait({ signal, cells }: RendezvousOrder) {
    const waiting = signal!.wait()
    report({ waiting: true })
    await waiting
    arrive(cells)
    report({ done: {} })
  },
  /** Awaits a signal, and then blocks for another one. */
  waitAndBlock({ signal, answer, cells }: RendezvousOrder) {
    const waiting = signal!.wait()
    report({ waiting: true })
    answer!.waitSync()
    void waiting.then(() => {
      arrive(cells)
      report({ done: {} })
    })
  },
  meet({ barrier, rounds, cells }: RendezvousOrder) {
    const led: number[] = []
    let generation = -1
    for (let i = 0; i < rounds!; i++) {
      Atomics.add(cells, 1, 1)
      const passage = barrier!.waitSync()
      if (passage.generation !== i) throw new Error(`Passed in generation ${passage.generation}, not ${i}.`)
      // All have come, and none can have come twice more.
      const came = Atomics.load(cells, 1)
      const { parties } = barrier!
      if (came < parties * (i + 1) || came > parties * (i + 2)) throw new Error(`${came} have come in round ${i}.`)
      generation = passage.generation
      if (passage.isLeader) led.push(generation)
    }
    report({ done: { led, generation } })
  },
  async meetAwaiting({ barrier, rounds, cells }: RendezvousOrder) {
    const led: number[] = []
    let generation = -1
    for (let i = 0; i < rounds!; i++) {
      Atomics.add(cells, 1, 1)
      const passage = await barrier!.wait()
      if (passage.generation !== i) throw new Error(`Passed in generation ${passage.generation}, not ${i}.`)
      generation = passage.generation
      if (passage.isLeader) led.push(generation)
    }
    report({ done: { led, generation } })
  },
  meetOnce({ barrier }: RendezvousOrder) {
    try {
      const { isLeader, generation } = barrier!.waitSync()
      report({ done: { led: isLeader ? [generation] : [], generation } })
    } catch (error) {
      report({ done: { error: { name: (error as Error).name, message: (error as Error).message } } })
    }
  },
  async meetOnceAwaiting({ barrier }: RendezvousOrder) {
    const waiting = barrier!.wait()
    report({ waiting: true })
    try {
      const { isLeader, generation } = await waiting
      report({ done: { led: isLeader ? [generation] : [], generation } })
    } catch (error) {
      report({ done: { error: { name: (error as Error).name, message: (error as Error).message } } })
    }
  },
  countDown({ latch, rounds, cells }: RendezvousOrder) {
    gate(cells)
    for (let i = 0; i < rounds!; i++) latch!.countDown()
    latch!.waitSync()
    if (!latch!.isOpen) throw new Error('Went while the latch was closed.')
    report({ done: {} })
  },
  arriveAndWait({ latch }: RendezvousOrder) {
    latch!.arriveAndWaitSync()
    report({ done: {} })
  },
  async arriveAndWaitAwaiting({ latch }: RendezvousOrder) {
    const waiting = latch!.arriveAndWait()
    report({ waiting: true })
    await waiting
    report({ done: {} })
  },
  async awaitLatch({ latch }: RendezvousOrder) {
    const waiting = latch!.wait()
    report({ waiting: true })
    await waiting
    report({ done: {} })
  },
  blockForLatch({ latch }: RendezvousOrder) {
    latch!.waitSync()
    report({ done: {} })
  },
}

const order = unmarshal<RendezvousOrder>(workerData)
report({ id: currentThread.id })
void tasks[order.task](order)
