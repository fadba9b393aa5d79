/** The barrier that programs see: a meeting place of n (`barrier-core.ts`), with a name. */
import { AbandonedError } from '@flatshare/core'
import { checkedTimeout, synchronousOnly, timeoutError } from '@flatshare/core/internal'
import { type AwaitOptions, awaitGrant } from './await-grant.js'
import { BARRIER_BYTES, makeBarrier, Passage } from './barrier-core.js'
import { waiting } from './engine.js'
import type { BlockingOptions } from './mutex.js'
import { letCross, Primitive, type PrimitiveOptions } from './primitive.js'
import { sharedMemory } from './sync-memory.js'

const core = makeBarrier(waiting)

const MOST = 0x3fffffff

/** How one passed a barrier. */
export interface BarrierPassage {
  /** True for exactly one of those that passed together: the last to arrive. */
  readonly isLeader: boolean
  /** The number of those that passed together, from 0 on, the same for all of them; 2³¹ generations later it begins anew. */
  readonly generation: number
}

/**
 * A place where n wait for each other: nobody goes on before all have arrived, then all do, and the next n
 * can meet. Those n are arrivals, not threads: several may be of one thread, of which one may block.
 *
 * Who gives up takes its arrival back. A thread that dies while it waits breaks its generation: the others
 * that wait in it get an AbandonedError at once, and the barrier begins anew, with the next generation.
 * A thread that dies elsewhere just doesn't come; give those that wait a `timeout`.
 *
 * @example
 * const phase = new Barrier(4, { name: 'phase' })
 * for (const step of steps) {
 *   step(part)
 *   const { isLeader } = phase.waitSync()
 *   if (isLeader) report(step)
 * }
 */
export class Barrier extends Primitive {
  protected readonly word = 'barrier'
  /** How many arrivals it takes. */
  readonly parties: number

  /**
   * `parties` is how many arrivals let each other go: an integer of 1 to 2³⁰ − 1.
   *
   * @throws TypeError for options that are none.
   * @throws RangeError for other `parties`.
   */
  constructor(parties: number, options: PrimitiveOptions = {}) {
    if (!Number.isInteger(parties) || parties < 1 || parties > MOST) {
      throw new RangeError(`A barrier is for an integer of 1 to ${MOST} parties, not for ${String(parties)}.`)
    }
    super(
      BARRIER_BYTES,
      options,
      "A barrier is made with a number of parties, and options: new Barrier(4, { name: 'phase' }).",
    )
    this.parties = parties
    if (this.isNew) sharedMemory.store(this.address, parties)
  }

  /** How many have arrived and wait for the others. It may be otherwise by the time that you look at the answer. */
  get arrived(): number {
    return core.arrived(this.address)
  }

  /**
   * Arrives, and blocks until all have; without a `timeout`, for ever. If the others can come from this
   * thread only, that is for ever too, which nobody can tell.
   *
   * @throws AbandonedError when a thread died that had arrived and waited too. This arrival is spent.
   * @throws TimeoutError (a DOMException) after `timeout` milliseconds. This arrival is taken back.
   * @throws CannotBlockError where the thread may not block and the others don't come within a
   * millisecond. This arrival is taken back.
   * @throws RangeError for a timeout that is none.
   * @example
   * const { isLeader, generation } = phase.waitSync({ timeout: 1000 })
   */
  waitSync(options: BlockingOptions = {}): BarrierPassage {
    const { timeout } = options
    if (timeout !== undefined) checkedTimeout(timeout, 'A timeout')
    return this.#passed(
      core.waitSync(this.address, { timeout, what: () => this.#meeting(), instead: 'await the barrier, by wait()' }),
    )
  }

  /**
   * Arrives, and resolves when all have. While it waits, it keeps the process alive. Giving up by `signal` or
   * `timeout` takes the arrival back; who was let go in the same moment has passed.
   *
   * It rejects with an AbandonedError when a thread died that had arrived and waited too, with a
   * TimeoutError (a DOMException) after `timeout` milliseconds, and with the signal's reason when that aborts.
   *
   * @example
   * const { isLeader } = await phase.wait({ signal })
   */
  async wait(options: AwaitOptions = {}): Promise<BarrierPassage> {
    return this.#passed(
      await awaitGrant<Arrival>({
        ...options,
        enqueue: (waiter) => core.enqueue(this.address, waiter),
        timedOut: (timeout) => timeoutError(`Waited ${timeout} ms for ${this.#meeting()}.`),
      }),
    )
  }

  #passed({ passage, generation }: Arrival): BarrierPassage {
    if (passage !== Passage.broken) return { isLeader: passage === Passage.leader, generation }
    throw new AbandonedError(
      `A thread died while it waited at ${this.describe()}, so those who waited with it (generation ${generation}) can't all come. ` +
        'The barrier has begun anew: wait there again, if as many are left.',
    )
  }

  #meeting(): string {
    return `the ${this.parties} parties of ${this.describe()}`
  }

  protected madeWith(): [number, PrimitiveOptions] {
    return [this.parties, { name: this.name }]
  }

  protected state(): string {
    return `${this.arrived} of ${this.parties} arrived`
  }
}

letCross(Barrier, 'barrier', BARRIER_BYTES)
synchronousOnly(Barrier, [['waitSync', 'wait()']])

type Arrival = ReturnType<typeof core.waitSync>
