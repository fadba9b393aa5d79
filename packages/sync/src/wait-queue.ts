/**
 * Queues of threads that wait, in shared memory: the ground that all primitives stand on.
 *
 * Whoever has to wait at an address (a lock's, a signal's) links a *node* into one of a few hundred queues,
 * chosen by the address; several addresses may share a queue. A queue has a *guard*, a word that is held
 * for some dozens of operations at most, never across a wait:
 *
 *   queue   +0 guard: 0, or the id of the thread inside   +4 first node   +8 last node
 *           +12 journal: a node   +16 its word   +20 its result   +24 when a lock was last handed on
 *
 *   node    +0 state   +4 thread   +8 address (0: not linked)   +12 next   +16 previous
 *           +20 kind   +24, +28 what it asks for   +32 inbox (0: its thread blocks)   +36 next in the inbox
 *           +40 whether it is in the inbox
 *
 *   state           the node's thread
 *   0               waits
 *   WOKEN           was woken to look for itself; the node stays where it is
 *   GRANTED | n     has what it asked for, with the result n; it unlinks the node
 *   … | LOOK_AGAIN  is to look again, because some thread has died
 *
 * What a kind of primitive does with its nodes is its `serve`: it grants what can be granted now. It is
 * called, inside the guard, by everybody who waits, wakes, gives up or changes something.
 *
 * A thread may die at any point inside. Who finds the guard held by the dead takes it over and repairs:
 *
 * - `next` is the truth: linking and unlinking are one store each, and `previous` and the last node are
 *   made anew from it;
 * - a change of the primitive's word that belongs to a grant is written into the journal first, and what
 *   stands there is carried out again: storing the same twice is harmless, and nobody else changes that
 *   word while the guard is held;
 * - nodes of the dead stay linked until a `serve` comes upon them, so that what they had been granted is
 *   granted again; and whoever waits looks again after a death.
 *
 * Invariants
 * - What a node and a queue hold is touched inside the guard only; except the state, which its thread
 *   reads, and the inbox words.
 * - A node with GRANTED stays linked until its own thread has seen it (asynchronous ones of the running
 *   thread see it at once), so nothing that was granted gets lost with a thread.
 * - Inside a guard no user's code runs, nothing blocks, and no second guard is taken.
 *
 * After parking_lot's global table of queues (WebKit's ParkingLot), with the recovery of robust futexes.
 */
import type { ThreadId } from '@flatshare/core'
import { LOOK_AGAIN } from '@flatshare/core/internal'
import type { SyncMemory } from './sync-memory.js'

const QUEUE_BYTES = 32
const FIRST = 4
const LAST = 8
const JOURNAL = 12
const JOURNAL_WORD = 16
const JOURNAL_RESULT = 20
const HANDED_ON = 24

export const NODE_BYTES = 48
export const STATE = 0
const THREAD = 4
const ADDRESS = 8
const NEXT = 12
const PREVIOUS = 16
const KIND = 20
const ASKS = 24
const RANK = 28
const INBOX = 32
const MAIL_NEXT = 36
const MAILED = 40

const WOKEN = 1
const GRANTED = 2
const RESULT_SHIFT = 2
/** In the journal: the node is dropped instead of granted. */
const DROP = -1

/** The address of a node. */
export type WaitNode = number

/** What a node is linked with. */
export interface WaitRequest {
  /** A number of the kind. */
  readonly kind: number
  /** What it asks for, as its kind understands it. */
  readonly asks?: number
  /** Nodes of a higher rank stand before those of a lower one. */
  readonly rank?: number
}

export type WaitQueues = ReturnType<typeof makeWaitQueues>

/**
 * Throws a RangeError where the stack is nearly used up, before anything is changed. Each frame of
 * this is larger than most.
 */
export function headroom(frames: number, a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0): number {
  return frames === 0 ? 0 : headroom(frames - 1, b, c, d, e, f, g, h, a) + 1
}

/** The queues over a memory. */
export function makeWaitQueues(memory: SyncMemory) {
  let base = 0
  /** The queue whose guard this thread holds. */
  let queue = 0
  /** Nodes of other threads to be woken after the guard is left. */
  let wakes: number[] = []
  let deliver: (node: WaitNode, result: number) => void

  /** Enters the guard of the queue for an address. */
  function enter(address: number): void {
    if (base === 0) base = memory.queues(QUEUE_BYTES * memory.queueCount)
    const at = base + QUEUE_BYTES * ((Math.imul(address >> 2, 0x9e3779b1) >>> 8) & (memory.queueCount - 1))
    const me = memory.ownThreadId()
    if (queue !== 0) leaveAborted()
    if (memory.compareExchange(at, 0, me) !== 0) enterSlow(at, me)
    queue = at
  }

  /** The running thread was thrown out of a guard, by a stack overflow: it left what a death would leave. */
  function leaveAborted(): void {
    repair(queue)
    leave()
  }

  function enterSlow(at: number, me: ThreadId): void {
    for (let spins = 0; ; spins++) {
      const holder = memory.load(at)
      if (holder === 0) {
        if (memory.compareExchange(at, 0, me) === 0) return
      } else if (!memory.isAlive(holder)) {
        if (memory.compareExchange(at, holder, me) !== holder) continue
        repair(at)
        return
      } else if (spins >= memory.spins) memory.nap(at, holder)
    }
  }

  /** Leaves the guard, and wakes those that were granted or woken inside. */
  function leave(): void {
    memory.store(queue, 0)
    queue = 0
    if (wakes.length === 0) return
    const due = wakes
    wakes = []
    for (const address of due) memory.notify(address, Infinity)
  }

  function repair(at: number): void {
    queue = at
    const node = memory.get(at + JOURNAL)
    if (node !== 0) carryOut(node, memory.get(at + JOURNAL_WORD), memory.get(at + JOURNAL_RESULT))
    let previous = 0
    for (let next = memory.get(at + FIRST); next !== 0; next = memory.get(next + NEXT)) {
      reached(next)
      memory.set(next + PREVIOUS, previous)
      previous = next
    }
    memory.set(at + LAST, previous)
  }

  /** Prepares a node of this thread and links it behind those of its rank or a higher one. */
  function link(node: WaitNode, address: number, { kind, asks = 0, rank = 0 }: WaitRequest, inbox: number): void {
    memory.store(node + STATE, 0)
    memory.set(node + THREAD, memory.ownThreadId())
    memory.set(node + ADDRESS, address)
    memory.set(node + KIND, kind)
    memory.set(node + ASKS, asks)
    memory.set(node + RANK, rank)
    memory.set(node + INBOX, inbox)
    let previous = memory.get(queue + LAST)
    for (; previous !== 0; previous = memory.get(previous + PREVIOUS)) {
      reached(previous)
      if (memory.get(previous + RANK) >= rank) break
    }
    const next = reached(memory.get(previous === 0 ? queue + FIRST : previous + NEXT))
    memory.set(node + PREVIOUS, previous)
    memory.set(node + NEXT, next)
    memory.set(previous === 0 ? queue + FIRST : previous + NEXT, node)
    memory.set(next === 0 ? queue + LAST : next + PREVIOUS, node)
  }

  /** A node of some thread, which may lie in memory that this one hasn't used yet. */
  function reached(node: WaitNode): WaitNode {
    if (node !== 0) memory.reach(node + NODE_BYTES)
    return node
  }

  function unlink(node: WaitNode): void {
    const previous = reached(memory.get(node + PREVIOUS))
    const next = reached(memory.get(node + NEXT))
    memory.set(previous === 0 ? queue + FIRST : previous + NEXT, next)
    memory.set(next === 0 ? queue + LAST : next + PREVIOUS, previous)
    memory.set(node + ADDRESS, 0)
  }

  /** The first node that waits at an address, or the next one after `node`; 0 where there is none. */
  function first(address: number): WaitNode {
    return from(memory.get(queue + FIRST), address)
  }

  function after(node: WaitNode): WaitNode {
    return from(memory.get(node + NEXT), memory.get(node + ADDRESS))
  }

  function from(start: WaitNode, address: number): WaitNode {
    for (let node = start; node !== 0; node = memory.get(node + NEXT)) {
      memory.reach(node + NODE_BYTES)
      if (memory.get(node + ADDRESS) === address) return node
    }
    return 0
  }

  function isGranted(node: WaitNode): boolean {
    return (memory.load(node + STATE) & GRANTED) !== 0
  }

  /** What a granted node was granted with. */
  function resultOf(node: WaitNode): number {
    return (memory.load(node + STATE) & ~LOOK_AGAIN) >> RESULT_SHIFT
  }

  /** Grants a node what it asks for, with a result of 0 … 2²⁷. */
  function grant(node: WaitNode, result = 0): void {
    grantQuietly(node, result)
    wake(node)
  }

  /** As `grant`, but its thread is not woken: it sees it when it next looks. */
  function grantQuietly(node: WaitNode, result = 0): void {
    memory.store(node + STATE, GRANTED | (result << RESULT_SHIFT))
  }

  /** As `grant`, and stores the word at the node's address, both or neither. */
  function grantWith(node: WaitNode, word: number, result = 0): void {
    journal(node, word, result)
  }

  /** Unlinks a node of a dead thread, and stores the word at its address, both or neither. */
  function dropWith(node: WaitNode, word: number): void {
    journal(node, word, DROP)
  }

  function journal(node: WaitNode, word: number, result: number): void {
    memory.set(queue + JOURNAL_WORD, word)
    memory.set(queue + JOURNAL_RESULT, result)
    memory.set(queue + JOURNAL, node)
    carryOut(node, word, result)
  }

  function carryOut(node: WaitNode, word: number, result: number): void {
    memory.reach(node + NODE_BYTES)
    const address = memory.get(node + ADDRESS)
    // Unlinked, and so carried out, if the journal was only not wiped.
    const due = address !== 0
    if (due) {
      memory.store(address, word)
      if (result === DROP) unlink(node)
      else memory.store(node + STATE, GRANTED | (result << RESULT_SHIFT))
    }
    // Before its thread can see it: then the node may soon be another's.
    memory.set(queue + JOURNAL, 0)
    if (due && result !== DROP) wake(node)
  }

  /** Has the thread of a node look for itself, if it wasn't told to already. */
  function wakeUp(node: WaitNode): void {
    if (memory.load(node + STATE) & WOKEN) return
    memory.store(node + STATE, WOKEN)
    wake(node)
  }

  /** Says that a node's thread has looked, for nothing. */
  function waitOn(node: WaitNode): void {
    memory.store(node + STATE, 0)
  }

  function wake(node: WaitNode): void {
    const inbox = memory.get(node + INBOX)
    const own = memory.get(node + THREAD) === memory.ownThreadId()
    if (inbox === 0) {
      // A thread that runs this is awake.
      if (!own) wakes.push(node + STATE)
      return
    }
    if (own && isGranted(node)) {
      deliver(node, resultOf(node))
      return
    }
    if (memory.load(node + MAILED) === 1) return
    memory.store(node + MAILED, 1)
    memory.reach(inbox + 4)
    for (;;) {
      const head = memory.load(inbox)
      memory.store(node + MAIL_NEXT, head)
      if (memory.compareExchange(inbox, head, node) === head) {
        if (head === 0) wakes.push(inbox)
        return
      }
    }
  }

  /** Takes the nodes out of an inbox of this thread. Each is to be unmailed before its state is looked at. */
  function emptyInbox(inbox: number): WaitNode[] {
    return mailFrom(memory.exchange(inbox, 0))
  }

  /** The nodes in an inbox of this thread, which stay there. */
  function peekInbox(inbox: number): WaitNode[] {
    return mailFrom(memory.load(inbox))
  }

  function mailFrom(first: WaitNode): WaitNode[] {
    const nodes: WaitNode[] = []
    for (let node = first; node !== 0; node = memory.load(node + MAIL_NEXT)) {
      memory.reach(node + NODE_BYTES)
      nodes.push(node)
    }
    return nodes
  }

  /**
   * Marks this thread's own node as woken, if nothing has happened to it; says whether. Without the guard: somebody may
   * be granting it.
   */
  function wakeSelf(node: WaitNode): boolean {
    for (;;) {
      const state = memory.load(node + STATE)
      if ((state & ~LOOK_AGAIN) !== 0) return false
      if (memory.compareExchange(node + STATE, state, WOKEN) === state) return true
    }
  }

  return {
    memory,
    enter,
    leave,
    link,
    unlink,
    first,
    after,
    isGranted,
    resultOf,
    grant,
    grantQuietly,
    grantWith,
    dropWith,
    wakeUp,
    wakeSelf,
    waitOn,
    emptyInbox,
    peekInbox,
    threadOf: (node: WaitNode): ThreadId => memory.get(node + THREAD),
    kindOf: (node: WaitNode): number => memory.load(node + KIND),
    asks: (node: WaitNode): number => memory.get(node + ASKS),
    isAsync: (node: WaitNode): boolean => memory.get(node + INBOX) !== 0,
    /** For a node that was taken out of its inbox: who changes its state from now on puts it in again. */
    unmail: (node: WaitNode): void => memory.store(node + MAILED, 0),
    isMailed: (node: WaitNode): boolean => memory.load(node + MAILED) === 1,
    isLinked: (node: WaitNode): boolean => memory.load(node + ADDRESS) !== 0,
    /** Also of another thread's node, without the guard: then it may be old by now. */
    addressOf: (node: WaitNode): number => memory.load(node + ADDRESS),
    isLiving: (node: WaitNode): boolean => memory.isAlive(memory.get(node + THREAD)),
    /** When a lock of this queue was last handed on, on the memory's clock. */
    handedOn: (): number => memory.get(queue + HANDED_ON),
    setHandedOn: (when: number): void => memory.set(queue + HANDED_ON, when),
    /** Where a node of this thread that is granted inside the guard goes: it unlinks it. */
    onOwnGrant(handler: (node: WaitNode, result: number) => void): void {
      deliver = handler
    },
  }
}
