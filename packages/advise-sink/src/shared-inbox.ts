/**
 * What other threads have to say to a source: a list in shared memory, to which any thread adds and from which the
 * source's home takes all.
 *
 *   block     word 0  head       the record that was added last, 0 where the list is empty
 *             word 1  bell       address of its home's bell
 *             word 2  waiting    how many records were added and not carried out; by a death it may say too few
 *             word 3  advised    how many sinks are advised; by a death it may say too many
 *   record    word 0  the record before it    word 1  address of its value
 *   bell      raised whenever a list of its home was empty and has something in it
 *
 *   adder                                        home
 *   record := (head, value)                      seen := bell
 *   compare-exchange head: its before → record   exchange each head → 0; carry out, oldest first
 *   that was 0: bell += 1, notify bell           wait for the bell while it is `seen`
 *
 * The order of raising, over all threads, is that in which heads were exchanged: an addition is one step, and a thread that
 * dies before it has added nothing.
 *
 * Invariants
 * - A list that isn't empty was announced by the one who made it so, or that one has died: the home looks at all its lists
 *   after each death. Later adders needn't announce.
 * - A record belongs to its adder before the exchange, and to the home after the head was taken. An address that comes
 *   back, because the home has freed it and another adder got it, does no harm: that record is the head, and before it is
 *   all that its adder found.
 */

/** All that it touches outside of its own thread; tests give a model of it. */
export interface InboxMemory {
  load(address: number): number
  /** Gives the value that was there before. */
  exchange(address: number, value: number): number
  /** Gives the value that was there before. */
  compareExchange(address: number, expected: number, replacement: number): number
  add(address: number, delta: number): void
  notify(address: number): void
  /** Reads a word that nobody writes meanwhile. */
  get(address: number): number
  /** Writes a word of a record that nobody else has. */
  set(address: number, value: number): void
  allocate(bytes: number): number
  free(address: number, bytes: number): void
}

export const BLOCK_BYTES = 16
export const RECORD_BYTES = 16
const BELL = 4
const WAITING = 8
const ADVISED = 12
const VALUE = 4

export function makeInbox(memory: InboxMemory) {
  return {
    /** The home says where its bell is, before anybody else knows of the block. */
    open(block: number, bell: number): void {
      memory.set(block + BELL, bell)
    },

    /** Adds a value, by its address. */
    push(block: number, value: number): void {
      const record = memory.allocate(RECORD_BYTES)
      memory.set(record + VALUE, value)
      let before = memory.load(block)
      for (;;) {
        memory.set(record, before)
        const found = memory.compareExchange(block, before, record)
        if (found === before) break
        before = found
      }
      memory.add(block + WAITING, 1)
      if (before !== 0) return
      const bell = memory.get(block + BELL)
      memory.add(bell, 1)
      memory.notify(bell)
    },

    /** Whether there is something to take. */
    isEmpty: (block: number): boolean => memory.load(block) === 0,

    /** Takes all values, the oldest first. Only the home does. */
    take(block: number): number[] {
      if (memory.load(block) === 0) return []
      const values: number[] = []
      for (let record = memory.exchange(block, 0); record !== 0; ) {
        values.push(memory.get(record + VALUE))
        const before = memory.get(record)
        memory.free(record, RECORD_BYTES)
        record = before
      }
      return values.reverse()
    },

    /** So many of those that were taken have been carried out. */
    carriedOut(block: number, count: number): void {
      memory.add(block + WAITING, -count)
      memory.notify(block + WAITING)
    },

    /** How many wait, of all that were added. */
    waiting: (block: number): number => memory.load(block + WAITING),
    waitingWord: (block: number): number => block + WAITING,

    /** How many sinks are advised. */
    advised: (block: number): number => memory.load(block + ADVISED),
    addAdvised: (block: number, delta: number): void => memory.add(block + ADVISED, delta),
  }
}
