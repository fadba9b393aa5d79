/**
 * The algorithm of `RwLock`: many readers, or one writer, of all threads.
 *
 *   +0 word   +4 readers: the list of their records (`reader-records.ts`)
 *
 *   word     state                             read           write         its writer unlocks
 *   0        no writer, nobody queued          counts itself  → n           –
 *   D        the same, a writer has died       counts itself  → n D         –
 *   Q [D]    no writer, somebody is queued     queues         queues        –
 *   n [D]    n writes, or looks for readers    queues: → n Q  queues: → n Q → 0
 *   n Q [D]  n writes, somebody is queued      queues         queues        → Q, and lets in who is next
 *   n …      n is dead                         as D or Q D    as D or Q D   –
 *
 * (Q: QUEUED; D: UNMENDED, until a writer has released; n: a thread's id.)
 *
 * Read: count up in the own record, then load the word. No writer and nobody queued: the read is held. Else
 * count down again, and queue. Unlock: count down, load the word; if Q is set, let in who is next.
 * Write: compare-exchange 0 → own id, then load all counts. All zero: it writes. Else it gives the word back
 * as Q, and queues. Who is let in of those that are queued, and when: `rwlock-queue.ts`.
 *
 *   reader:  count up    │ load the word          last reader:  count down        │ load the word
 *   writer:  word := n   │ load all counts        writer:       word := Q, queued │ load all counts
 *
 * All of these are sequentially consistent, so of two that come at once, one at least sees the other. Hence a
 * reader and a writer never both go in; and either the writer sees that the last reader has gone, or that
 * reader sees that it is to be let in. That a count is up for a moment in vain keeps out whoever looked just
 * then, so that reader lets in who can come, before it waits.
 *
 * A thread that reads already may read again whatever the word says: while its count is up, no writer comes
 * in. Blocking ones do, for the writers that wait do so for this thread too.
 *
 * Deaths: a dead thread's count doesn't count. A dead writer's word is replaced, inside the guard, by who
 * comes upon it, with D; also if it was only looking for readers.
 *
 * After big-reader locks, whose readers write to words of their own; the phase-fair locks of Brandenburg and
 * Anderson (2010) for the order; and robust POSIX mutexes for dead owners.
 */
import { DeadlockError, type ThreadId } from '@flatshare/core'
import { threadName } from '@flatshare/core/internal'
import { type Outcome, OWNER_MASK, QUEUED, UNMENDED } from './lock.js'
import {
  alignedTo,
  bytesAligned,
  CACHE_LINE,
  makeReaderRecords,
  type ReaderRecord,
  type Reading,
} from './reader-records.js'
import { ABANDONED, makeRwLockQueue, READERS } from './rwlock-queue.js'
import type { SyncMemory } from './sync-memory.js'
import type { WaitNode, WaitRequest } from './wait-queue.js'
import type { Waiting } from './waiting.js'

/** What a lock takes, so that it has a cache line of its own; its bytes are zero at first. */
export const RWLOCK_BYTES = bytesAligned(CACHE_LINE)

/** Where the lock is in such a block. */
export const rwLockIn = (block: number): number => alignedTo(block, CACHE_LINE)

/** Somebody who waits without blocking. */
export interface RwLockWaiter {
  granted(outcome: Outcome): void
}

const outcomeOf = (result: number): Outcome => (result === ABANDONED ? 'abandoned' : 'acquired')
const outcomeBy = (word: number): Outcome => (word & UNMENDED ? 'abandoned' : 'acquired')

/**
 * The lock's functions over a memory; `line` is the size of its cache lines. Records lie where `recordMemory`
 * allocates them.
 */
export function makeRwLock(
  waiting: Waiting,
  line: number = CACHE_LINE,
  recordMemory: SyncMemory = waiting.queues.memory,
) {
  const { memory } = waiting.queues
  const records = makeReaderRecords(recordMemory, line)
  const queue = makeRwLockQueue(waiting, records)

  /** The record of this thread, with which it reads; it stays the same. */
  function recordOf(address: number): ReaderRecord {
    const own = records.find(address + READERS)
    if (own !== 0) return own
    waiting.enter(address)
    const record = records.takeOver(address + READERS)
    waiting.leave()
    return record || records.make(address + READERS)
  }

  /** Reads, if that needs no waiting. With `again`, also before writers that wait, if this thread reads already. */
  function tryRead(address: number, record: ReaderRecord, again = true): Outcome | 'held' {
    const outcome = readNow(address, record, again)
    return outcome === 'held' ? tryReadSlow(address, record) : outcome
  }

  /** After 'held' the caller is to come inside the guard and serve: its count was up for a moment. */
  function readNow(address: number, record: ReaderRecord, again: boolean): Outcome | 'held' {
    records.add(record, 1)
    const word = memory.load(address)
    if ((word & ~UNMENDED) === 0 || (again && records.count(record) > 1)) return outcomeBy(word)
    records.add(record, -1)
    return 'held'
  }

  function tryReadSlow(address: number, record: ReaderRecord): Outcome | 'held' {
    let outcome: Outcome | 'held' = 'held'
    waiting.enter(address)
    queue.serve(address, 0)
    if (!queue.isWriterWaiting(address)) {
      records.add(record, 1)
      const word = memory.load(address)
      if ((word & OWNER_MASK) === 0) outcome = outcomeBy(word)
      else records.add(record, -1)
    }
    waiting.leave()
    return outcome
  }

  function readSync(address: number, record: ReaderRecord, what: () => string, timeout?: number): Outcome {
    const outcome = readNow(address, record, true)
    if (outcome !== 'held') return outcome
    if (writerOf(address) === memory.ownThreadId()) throw ownLock('writes', what())
    waiting.enter(address)
    return outcomeOf(waiting.block(address, queue.toRead(record), { what, timeout, instead: 'await read()' }))
  }

  /** Queues an asynchronous reader; gives the node to withdraw it by. */
  function enqueueRead(address: number, record: ReaderRecord, waiter: RwLockWaiter): WaitNode {
    waiting.enter(address)
    return enqueue(address, queue.toRead(record), waiter)
  }

  function releaseRead(address: number, record: ReaderRecord): void {
    records.add(record, -1)
    if (memory.load(address) & QUEUED) letIn(address)
  }

  function letIn(address: number): void {
    waiting.enter(address)
    queue.serve(address, 0)
    waiting.leave()
  }

  /** Writes, if that needs no waiting. */
  function tryWrite(address: number): Outcome | 'held' {
    // First, so that trying again and again keeps no reader out.
    if (records.isRead(address + READERS)) return 'held'
    const found = writeNow(address)
    if (found === 'acquired') return found
    waiting.enter(address)
    if (found === 'read') queue.giveBackWord(address, 0)
    queue.serve(address, 0)
    const word = found === 'read' || queue.isWriterWaiting(address) ? -1 : queue.takeWord(address, 0)
    waiting.leave()
    return word === -1 ? 'held' : outcomeBy(word)
  }

  /** Writes, if the word is 0 and nobody reads. After 'read' the word is this thread's, to be given back. */
  function writeNow(address: number): Outcome | 'held' | 'read' {
    if (memory.compareExchange(address, 0, memory.ownThreadId()) !== 0) return 'held'
    return records.isRead(address + READERS) ? 'read' : 'acquired'
  }

  function writeSync(address: number, what: () => string, timeout?: number): Outcome {
    return goOnWriting(address, writeNow(address), what, timeout)
  }

  /** As `writeSync`, for who has put its id into a word that was 0. */
  function writeSyncWithWord(address: number, what: () => string, timeout?: number): Outcome {
    return goOnWriting(address, records.isRead(address + READERS) ? 'read' : 'acquired', what, timeout)
  }

  function goOnWriting(
    address: number,
    found: Outcome | 'held' | 'read',
    what: () => string,
    timeout: number | undefined,
  ): Outcome {
    if (found === 'acquired') return found
    const writes = found === 'held' && writerOf(address) === memory.ownThreadId()
    const record = records.find(address + READERS)
    const reads = record !== 0 && records.count(record) > 0
    waiting.enter(address)
    if (found === 'read') queue.giveBackWord(address, 0)
    if (!writes && !reads) {
      return outcomeOf(waiting.block(address, queue.toWrite, { what, timeout, instead: 'await write()' }))
    }
    queue.serve(address, 0)
    waiting.leave()
    throw ownLock(writes ? 'writes' : 'reads', what())
  }

  /** Queues an asynchronous writer; gives the node to withdraw it by. */
  function enqueueWrite(address: number, waiter: RwLockWaiter): WaitNode {
    waiting.enter(address)
    return enqueue(address, queue.toWrite, waiter)
  }

  /** Gives up a write. It says that what the lock guards is whole, unless `unmended`. */
  function releaseWrite(address: number, unmended = false): void {
    const me = memory.ownThreadId()
    if (!unmended && memory.compareExchange(address, me, 0) === me) return
    waiting.enter(address)
    queue.giveBackWord(address, unmended ? UNMENDED : 0)
    queue.admitReaders(address, 0)
    queue.serve(address, 0)
    waiting.leave()
  }

  /** Reads instead of writes, with no other writer in between. */
  function downgrade(address: number, record: ReaderRecord): void {
    records.add(record, 1)
    releaseWrite(address)
  }

  /** Writes instead of reads, if nobody else reads. */
  function tryUpgrade(address: number, record: ReaderRecord): Outcome | 'held' {
    waiting.enter(address)
    queue.serve(address, 0)
    const word = queue.upgrader(address) === 0 ? queue.takeWord(address, record) : -1
    if (word !== -1) records.add(record, -1)
    waiting.leave()
    return word === -1 ? 'held' : outcomeBy(word)
  }

  /** As `tryUpgrade`, blocking while others read. Where it throws, this thread still reads. */
  function upgradeSync(address: number, record: ReaderRecord, what: () => string, timeout?: number): Outcome {
    if (records.count(record) > 1) throw ownLock('reads', what())
    enterToUpgrade(address, what)
    records.setUpgrading(record, true)
    try {
      return outcomeOf(waiting.block(address, queue.toUpgrade(record), { what, timeout, instead: 'await upgrade()' }))
    } finally {
      records.setUpgrading(record, false)
    }
  }

  /** Queues one that upgrades; gives the node to withdraw it by. It reads until it is granted. */
  function enqueueUpgrade(address: number, record: ReaderRecord, waiter: RwLockWaiter, what: () => string): WaitNode {
    enterToUpgrade(address, what)
    return enqueue(address, queue.toUpgrade(record), waiter)
  }

  /** @throws DeadlockError where somebody waits to upgrade already. */
  function enterToUpgrade(address: number, what: () => string): void {
    waiting.enter(address)
    const first = queue.upgrader(address)
    if (first === 0) return
    waiting.leave()
    throw secondUpgrade(memory.ownThreadId(), first, what())
  }

  function enqueue(address: number, request: WaitRequest, waiter: RwLockWaiter): WaitNode {
    return waiting.enqueue(address, request, { granted: (result) => waiter.granted(outcomeOf(result)) })
  }

  /** The thread that writes, or died writing; 0 if none does. */
  function writerOf(address: number): ThreadId {
    return memory.load(address) & OWNER_MASK
  }

  /** Whether a writer has died, and none has released since. */
  function isUnmended(address: number): boolean {
    const writer = writerOf(address)
    return (memory.load(address) & UNMENDED) !== 0 || (writer !== 0 && !memory.isAlive(writer))
  }

  function ownLock(does: string, what: string): DeadlockError {
    const name = threadName(memory.ownThreadId())
    return new DeadlockError(
      `The thread "${name}" ${does} by this lock already, so blocking for ${what} would never end. ` +
        'Release that first, upgrade or downgrade its guard, or await read() or write().',
      { cycle: [`"${name}" waits for ${what}, held by "${name}"`] },
    )
  }

  return {
    recordOf,
    tryRead,
    readSync,
    enqueueRead,
    releaseRead,
    tryWrite,
    writeSync,
    writeSyncWithWord,
    enqueueWrite,
    releaseWrite,
    downgrade,
    tryUpgrade,
    upgradeSync,
    enqueueUpgrade,
    writerOf,
    isUnmended,
    /** How many reads this thread holds by its record. */
    readsOf: records.count,
    /** Whether a living thread reads, or looks whether it may. */
    isRead: (address: number): boolean => records.isRead(address + READERS),
    readers: (address: number): Reading[] => [...records.reading(address + READERS)],
    timedOut: (address: number, timeout: number, what: string): Error =>
      waiting.timedOut(what, timeout, queue.holders(address)),
  }
}

function secondUpgrade(me: ThreadId, first: ThreadId, what: string): DeadlockError {
  const [mine, its] = [threadName(me), threadName(first)]
  return new DeadlockError(
    `The thread "${its}" waits for ${what} too, and keeps its read until then, as "${mine}" would: ` +
      'they would wait for each other for ever. Release the read, and lock for writing.',
    { cycle: [`"${mine}" waits for ${what}, held by "${its}"`, `"${its}" waits for ${what}, held by "${mine}"`] },
  )
}
