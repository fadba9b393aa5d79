/** A thread that does one task with a once; tests start it with a packet of `OnceOrder`. */
import { parentPort, workerData } from 'node:worker_threads'
import { currentThread, registerError, unmarshal } from '@flatshare/core'
import type { Once } from '@flatshare/sync'
import '@flatshare/sync'

export interface OnceOrder {
  task: keyof typeof tasks
  once: Once<unknown>
  second?: Once<unknown>
  /** Cells for fences: 0 counts arrivals, 1 counts runs, 2 opens a gate. */
  cells: Int32Array
}

export interface OnceReport {
  id?: number
  waiting?: true
  done?: {
    value?: unknown
    /** Whether a later call gave the identical result, and ran nothing. */
    same?: boolean
    error?: { name: string; message: string; stack: string; isOwn: boolean; cycle?: readonly string[] }
  }
}

/** An error that all threads know. */
export class SetupError extends Error {
  override name = 'SetupError'
  step = 3
}
registerError(SetupError)

const report = (message: OnceReport) => parentPort!.postMessage(message)

function arrive(cells: Int32Array): void {
  Atomics.add(cells, 0, 1)
  Atomics.notify(cells, 0)
}

function gate(cells: Int32Array): void {
  while (Atomics.load(cells, 2) === 0) Atomics.wait(cells, 2, 0)
}

const forEver = () => new Promise<never>(() => setInterval(() => {}, 1000))

/** What is run: a result that says where, and counts how often. */
function make(cells: Int32Array): { by: number; list: number[] } {
  Atomics.add(cells, 1, 1)
  return { by: currentThread.id, list: [1, 2] }
}

async function attempt(get: () => unknown, again?: () => unknown): Promise<void> {
  try {
    const value = await get()
    report({ done: again ? { value, same: (await again()) === value } : { value } })
  } catch (error) {
    const { name, message, stack, cycle } = error as Error & { cycle?: readonly string[] }
    const told = { name, message, stack: stack ?? '', isOwn: error instanceof SetupError }
    report({ done: { error: cycle ? { ...told, cycle } : told } })
  }
}

const never = () => {
  throw new Error('This must not run.')
}

const tasks = {
  async race({ once, cells }: OnceOrder) {
    gate(cells)
    await attempt(
      () => once.runSync(() => make(cells)),
      () => once.runSync(never),
    )
  },
  async raceAwaiting({ once, cells }: OnceOrder) {
    gate(cells)
    await attempt(
      () =>
        once.run(async () => {
          await Promise.resolve()
          return make(cells)
        }),
      () => once.run(never),
    )
  },
  /** Waits for another one that runs; its own function says whether that was abandoned. */
  async block({ once }: OnceOrder) {
    report({ waiting: true })
    await attempt(() => once.runSync(({ abandoned }) => ({ by: currentThread.id, abandoned })))
  },
  async wait({ once }: OnceOrder) {
    const result = once.run(async ({ abandoned }) => ({ by: currentThread.id, abandoned }))
    report({ waiting: true })
    await attempt(() => result)
  },
  /** As a page's main thread: it may not block. */
  async blockUnblockable({ once }: OnceOrder) {
    Atomics.wait = () => {
      throw new TypeError('Atomics.wait cannot be called in this context')
    }
    await attempt(() => once.runSync(never))
  },
  runForEver({ once, cells }: OnceOrder) {
    once.runSync(() => {
      arrive(cells)
      for (;;) Atomics.wait(cells, 3, 0)
    })
  },
  async awaitForEver({ once, cells }: OnceOrder) {
    await once.run(() => {
      arrive(cells)
      return forEver()
    })
  },
  async runAndExit({ once, cells }: OnceOrder) {
    await once.run(() => {
      arrive(cells)
      gate(cells)
      process.exit(4)
    })
  },
  async fail({ once, cells }: OnceOrder) {
    await attempt(() =>
      once.runSync(() => {
        arrive(cells)
        gate(cells)
        throw new SetupError('no disk', { cause: new RangeError('full') })
      }),
    )
  },
  async giveUncrossable({ once, cells }: OnceOrder) {
    await attempt(() =>
      once.runSync(() => {
        arrive(cells)
        gate(cells)
        return { settings: { read: () => 1 } }
      }),
    )
  },
  /** Runs the second inside of the first, when another thread runs too. */
  async nest({ once, second, cells }: OnceOrder) {
    await attempt(() =>
      once.runSync(() => {
        arrive(cells)
        while (Atomics.load(cells, 0) < 2) Atomics.wait(cells, 0, 1)
        return second!.runSync(never)
      }),
    )
  },
}

const order = unmarshal<OnceOrder>(workerData)
report({ id: currentThread.id })
void tasks[order.task](order)
