/**
 * Who is let in to an `RwLock`, of those that wait: what `rwlock-core.ts` does inside the guard, with its words.
 *
 * Order: phases in turn.
 * - Whoever comes while somebody is queued queues too. From the front of the queue on, readers are let in
 *   together, up to a writer; that one when nobody reads.
 * - A writer that releases lets in *all* readers that are queued then, also those behind other writers.
 * So a reader waits for one writer at most, after the readers that are in; and a writer for those in front
 * of it, and for one lot of readers before each. Who reads and wants to write (an upgrade) stands in front of
 * all others: all writers wait for it. Two of them would wait for each other, so there is only one.
 *
 * Nothing may be held by a thread that doesn't know of it for long:
 * - who is blocked here is granted what it waits for, with the word where it is to write;
 * - an asynchronous reader is granted too, and its grant taken back if its thread is then found to be blocked;
 * - an asynchronous writer of another thread is woken, and takes the lock itself when it looks.
 * Waiters whose threads are blocked elsewhere are passed over, and look when they no longer are. Whether a
 * thread is blocked is asked *after* it was granted or woken: who blocks first says so, then looks for what
 * it was granted. A read that is granted counts by its node, until its thread has seen it and counts itself.
 *
 * Invariants
 * - Q is set while a node is linked for the lock, except inside the guard, and no writer is granted before the
 *   counts were loaded with Q set. It is taken away later, by who finds the queue empty.
 * - While Q is set, the word changes inside the guard only. Outside, only 0 → n and n → 0 happen.
 * - Who serves does all that can be done; so who does it again after a death half-way finishes it.
 */
import type { ThreadId } from '@flatshare/core'
import { OWNER_MASK, QUEUED, UNMENDED } from './lock.js'
import type { ReaderRecord, ReaderRecords } from './reader-records.js'
import type { WaitNode, WaitRequest } from './wait-queue.js'
import type { Waiting } from './waiting.js'

/** From the lock's word to the list of its readers' records. */
export const READERS = 4

const KIND = 2

const ACQUIRED = 0
export const ABANDONED = 1

export function makeRwLockQueue(waiting: Waiting, records: ReaderRecords) {
  const { queues } = waiting
  const { memory } = queues

  waiting.register(KIND, {
    serve,
    seen,
    giveBack(address, node) {
      queues.waitOn(node)
      serve(address, 0)
    },
    holders,
  })

  /** To read, by the own record. */
  const toRead = (record: ReaderRecord): WaitRequest => ({ kind: KIND, asks: record })
  const toWrite: WaitRequest = { kind: KIND }
  /** To write instead of read, by the own record. */
  const toUpgrade = (record: ReaderRecord): WaitRequest => ({ kind: KIND, asks: -record, rank: 1 })

  const isReader = (node: WaitNode): boolean => queues.asks(node) > 0
  const isUpgrader = (node: WaitNode): boolean => queues.asks(node) < 0
  const isOwn = (node: WaitNode): boolean => queues.threadOf(node) === memory.ownThreadId()

  /** The thread that writes, or those that read. Anywhere. */
  function holders(address: number): ThreadId[] {
    const writer = memory.load(address) & OWNER_MASK
    if (writer !== 0) return [writer]
    // One that blocks to upgrade waits for the others: what waits for it waits for them.
    const reading = [...records.reading(address + READERS)].filter(({ upgrading }) => !upgrading)
    return reading.map(({ thread }) => thread)
  }

  /** Makes the word true to the queue and to deaths; says whether somebody waits and nobody writes. */
  function settle(address: number, self: WaitNode): boolean {
    for (;;) {
      const word = memory.load(address)
      const writer = word & OWNER_MASK
      const waited = waiting.firstLiving(address) !== 0
      const died = writer !== 0 && !memory.isAlive(writer)
      const next = (died ? UNMENDED : word & ~QUEUED) | (waited ? QUEUED : 0)
      if (next !== word && memory.compareExchange(address, word, next) !== word) continue
      if (died) admitReaders(address, self)
      return waited && (next & OWNER_MASK) === 0
    }
  }

  /** Lets in who can come in now. `self` is a node of this thread, which waits. */
  function serve(address: number, self: WaitNode): void {
    if (!settle(address, self)) return
    for (let node = waiting.firstLiving(address); node !== 0; ) {
      // One of this thread's own asynchronous waiters is gone once it is granted.
      const next = waiting.nextLiving(node)
      if (!queues.isGranted(node)) {
        if (isReader(node)) admit(address, node, self)
        else if (!passesOver(node, self) && !admitWriter(address, node)) return
      }
      node = next
    }
  }

  /** Lets in all readers that wait. */
  function admitReaders(address: number, self: WaitNode): void {
    for (let node = waiting.firstLiving(address); node !== 0; ) {
      const next = waiting.nextLiving(node)
      if (!queues.isGranted(node) && isReader(node)) admit(address, node, self)
      node = next
    }
  }

  function admit(address: number, node: WaitNode, self: WaitNode): void {
    if (passesOver(node, self)) return
    const elsewhere = queues.isAsync(node) && !isOwn(node)
    queues.grant(node, resultBy(memory.load(address)))
    if (elsewhere) passesOver(node, self)
  }

  /** Lets a writer in, when nobody reads; true if it turned out to be blocked elsewhere. */
  function admitWriter(address: number, node: WaitNode): boolean {
    if (isRead(address, isUpgrader(node) ? -queues.asks(node) : 0)) return false
    if (queues.isAsync(node) && !isOwn(node)) {
      queues.wakeUp(node)
      return passesOver(node, 0)
    }
    const word = memory.load(address)
    queues.grantWith(node, queues.threadOf(node) | QUEUED | (word & UNMENDED), resultBy(word))
    return false
  }

  /** Whether the thread of an asynchronous waiter is blocked, or is about to: then it is to look later. */
  function passesOver(node: WaitNode, self: WaitNode): boolean {
    if (!queues.isAsync(node)) return false
    const blocks = isOwn(node) && self !== 0 && !queues.isAsync(self)
    if (!blocks && !memory.isParked(queues.threadOf(node))) return false
    queues.wakeUp(node)
    return true
  }

  /** The thread of a granted node knows now. */
  function seen(_address: number, node: WaitNode): void {
    if (isReader(node)) records.add(queues.asks(node), 1)
    else if (isUpgrader(node)) records.add(-queues.asks(node), -1)
  }

  /** Takes the word, if there is no writer and nobody reads, apart from one read by `except`; gives what it was, else −1. */
  function takeWord(address: number, except: ReaderRecord): number {
    const word = memory.load(address)
    if (word & OWNER_MASK || isRead(address, except)) return -1
    if (memory.compareExchange(address, word, word | memory.ownThreadId()) !== word) return -1
    // Without Q in the word, readers may have come meanwhile.
    if (!isRead(address, except)) return word
    giveBackWord(address, word & UNMENDED)
    serve(address, 0)
    return -1
  }

  /** Gives up the word, which is this thread's. With Q, so that nobody comes in before `serve`, which is to follow. */
  function giveBackWord(address: number, flag: number): void {
    memory.store(address, flag | QUEUED)
  }

  function isRead(address: number, except: ReaderRecord): boolean {
    if (records.isRead(address + READERS, except)) return true
    return find(address, (node) => isReader(node) && queues.isGranted(node)) !== 0
  }

  /** Whether a writer that could come waits. */
  function isWriterWaiting(address: number): boolean {
    return find(address, (node) => !isReader(node) && !queues.isGranted(node) && !passesOver(node, 0)) !== 0
  }

  /** The thread that waits to upgrade; 0 if none does. */
  function upgrader(address: number): ThreadId {
    const node = find(address, isUpgrader)
    return node === 0 ? 0 : queues.threadOf(node)
  }

  /** It drops nobody: who calls it may hold a node whose thread has died meanwhile. */
  function find(address: number, is: (node: WaitNode) => boolean): WaitNode {
    let node = queues.first(address)
    while (node !== 0 && !(queues.isLiving(node) && is(node))) node = queues.after(node)
    return node
  }

  return {
    toRead,
    toWrite,
    toUpgrade,
    holders,
    serve,
    admitReaders,
    takeWord,
    giveBackWord,
    isWriterWaiting,
    upgrader,
  }
}

const resultBy = (word: number): number => (word & UNMENDED ? ABANDONED : ACQUIRED)
