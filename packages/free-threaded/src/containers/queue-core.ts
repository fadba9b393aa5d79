/**
 * The algorithm of `SharedQueue`: a bounded ring, and the line of those who wait for an element or for room.
 *
 *   queue   +0 ring   +4 capacity   +8 bytes of a cell   +12 head   +16 tail   +20 closed
 *           +24 takers granted   +28 putters granted   +32 deaths, when the line was last searched
 *
 *   head, tail   count up to twice the capacity, then begin at 0: tail − head is how many elements there are
 *   granted      waiters that were granted an element, or room, and have not seen it
 *
 *   put     cell ← element; tail + 1
 *   take    head + 1; element ← cell
 *   grant   granted + 1; the node is granted, and its thread woken
 *   seen    put or take, as the waiter's own thread; granted − 1
 *
 * All of it happens inside the guard of the queue's address (`wait-queue.ts` of `@flatshare/sync`); the
 * object's own lock plays no part. A grant moves nothing: it says that an element, or room, is kept for
 * that waiter. Free for others are elements − takers granted, and capacity − elements − putters granted.
 *
 * Order: those who wait for the same thing are served as they came, and nobody passes one of them who can
 * come, not by trying either. An asynchronous waiter is not granted by other threads but woken, and what it
 * waits for is left lying for it. If its thread is blocked, it can't come; so it is passed over, and looks
 * when it is back. It is woken before its thread is seen not to be blocked, and a thread that blocks serves
 * anew what its own waiters were woken for: so one of the two sees the other, and nothing lies idle.
 *
 * Closed: who waits for room, or comes for it, is refused; who waits for an element gets those that are
 * left, and is told of the end when there is none. Elements that are kept for others are left too: if
 * their threads die, they are still to be had.
 *
 * Deaths
 * - An element is in the ring from the store of the tail to the store of the head; each is one store.
 *   What died before has put nothing, what died after has taken it.
 * - The counts are too high, never too low, if a thread dies between two stores: then less is free than
 *   could be, until the line is searched. That is when deaths have changed: the dead are taken out of the
 *   line, and the counts are made anew.
 * - A death makes all that wait look again, and so search, and so serve.
 *
 * An element that owns memory is moved between the ring and a cell of the thread (`own-cells.ts`) in a
 * section of the heap, the change of head or tail included: a collection finds it in one place. Sections
 * are entered inside the guard, never the other way round.
 *
 * Invariants, outside of the guard
 * - 0 ≤ elements ≤ capacity; takers granted ≤ elements, unless the queue has ended.
 * - Who waits and could go on is granted or woken.
 */
import type { AsyncWaiter, BlockOptions, Waiting, WaitNode } from '@flatshare/sync/internal'

/** The words of a queue, by their distance from its address. */
export const RING = 0
export const CAPACITY = 4
export const CELL_BYTES = 8
export const HEAD = 12
export const TAIL = 16
const CLOSED = 20
const GRANTED = 24
const DEATHS = 32
/** What these words take; zero at first, except for the ring, the capacity and the bytes of a cell. */
export const QUEUE_BYTES = 36

export const TAKE = 0
export const PUT = 1
/** What is wanted: an element, or room for one. */
export type Side = typeof TAKE | typeof PUT

const KIND = 12

/** A section of the heap. */
export interface Section {
  enter(): void
  leave(): void
}

/** What somebody wants of a queue. */
export interface Request {
  readonly side: Side
  /** Whether elements own memory, so that moving one takes a section. */
  readonly owns: boolean
  /** Moves the element into the cell at an address of the ring, or out of it. Inside the guard: must not throw. */
  move(cell: number): void
  /** What became of it: undefined while it waits. */
  outcome: Outcome | undefined
}

/** Whether an element was moved; `'closed'`: there is no more room ever, or no element. */
export type Outcome = 'moved' | 'closed'

/** The functions of a queue over a memory. */
export function makeQueue(waiting: Waiting, section: Section) {
  const { queues } = waiting
  const { memory } = queues
  /** The requests of this thread that wait, by the number that their nodes ask with. */
  const requests = new Map<number, Request>()
  let lastNumber = 0
  /** While this thread grants: what it sees then is served by the loop that granted it. */
  let serving = false

  waiting.register(KIND, { serve, seen, giveBack })

  /** Moves an element if that needs no waiting, and passes nobody who waits; undefined where it would. */
  function tryNow(address: number, request: Request): Outcome | undefined {
    waiting.enter(address)
    settle(address)
    if (moveNow(address, request)) serveSettled(address, 0)
    waiting.leave()
    return request.outcome
  }

  /** Moves an element, blocking until that can be. */
  function waitSync(address: number, request: Request, options: BlockOptions): Outcome {
    waiting.enter(address)
    settle(address)
    if (moveNow(address, request)) {
      serveSettled(address, 0)
      waiting.leave()
    } else {
      const number = numbered(request)
      try {
        waiting.block(address, { kind: KIND, asks: asking(number, request) }, options)
      } finally {
        requests.delete(number)
      }
    }
    return request.outcome!
  }

  /** Queues an asynchronous waiter; gives the node to withdraw it by, and what to call when nothing waits any more. */
  function enqueue(address: number, request: Request, waiter: AsyncWaiter): { node: WaitNode; forget: () => void } {
    const number = numbered(request)
    const forget = () => void requests.delete(number)
    try {
      waiting.enter(address)
      return { node: waiting.enqueue(address, { kind: KIND, asks: asking(number, request) }, waiter), forget }
    } catch (error) {
      forget()
      throw error
    }
  }

  /** Closes the queue; false where it was closed before. */
  function close(address: number): boolean {
    waiting.enter(address)
    settle(address)
    const isFirst = !isClosedInside(address)
    memory.set(address + CLOSED, 1)
    serveSettled(address, 0)
    waiting.leave()
    return isFirst
  }

  function isClosed(address: number): boolean {
    return memory.load(address + CLOSED) !== 0
  }

  /** How many elements there are. */
  function size(address: number): number {
    waiting.enter(address)
    const elements = sizeInside(address)
    waiting.leave()
    return elements
  }

  /** Calls back with the cell of each element, in order, inside the guard: what it does must be short, and not throw. */
  function each(address: number, visit: (cell: number) => void): void {
    waiting.enter(address)
    const end = memory.get(address + TAIL)
    for (let at = memory.get(address + HEAD); at !== end; at = following(address, at)) visit(cellOf(address, at))
    waiting.leave()
  }

  function numbered(request: Request): number {
    do lastNumber = (lastNumber + 1) & 0x3fffffff
    while (requests.has(lastNumber))
    requests.set(lastNumber, request)
    return lastNumber
  }

  const asking = (number: number, { side }: Request): number => (number << 1) | side

  /** Whether it needed no waiting; inside the guard. */
  function moveNow(address: number, request: Request): boolean {
    if (isRefused(address, request.side)) request.outcome = 'closed'
    else if (mayCome(address, request.side)) move(address, request)
    else return false
    return true
  }

  /** Whether the queue is closed for what is wanted of it. */
  function isRefused(address: number, side: Side): boolean {
    return isClosedInside(address) && (side === PUT || sizeInside(address) === 0)
  }

  /** Whether there is enough for a newcomer, and for all who wait and can come. */
  function mayCome(address: number, side: Side): boolean {
    let free = freeFor(address, side)
    if (free <= 0) return false
    for (let node = queues.first(address); node !== 0; node = queues.after(node)) {
      if (sideOf(node) !== side || queues.isGranted(node)) continue
      if (queues.isAsync(node) && memory.isParked(queues.threadOf(node))) continue
      if (--free === 0) return false
    }
    return true
  }

  function move(address: number, request: Request): void {
    const { side, owns } = request
    const at = memory.get(address + (side === PUT ? TAIL : HEAD))
    const next = following(address, at)
    if (owns) section.enter()
    if (side === PUT) {
      request.move(cellOf(address, at))
      memory.set(address + TAIL, next)
    } else {
      memory.set(address + HEAD, next)
      request.move(cellOf(address, at))
    }
    if (owns) section.leave()
    request.outcome = 'moved'
  }

  function serve(address: number, self: WaitNode): void {
    settle(address)
    serveSettled(address, self)
  }

  /** Serves from the front as long as there is anything to be had. */
  function serveSettled(address: number, self: WaitNode): void {
    if (queues.first(address) === 0) return
    serving = true
    try {
      while (serveOnce(address, self));
    } finally {
      serving = false
    }
  }

  /** Whether one of this thread's own waiters moved something: then there is more to be had. */
  function serveOnce(address: number, self: WaitNode): boolean {
    const free = [toBeHad(address, TAKE), toBeHad(address, PUT)]
    let moved = false
    let node = queues.first(address)
    while (node !== 0 && (free[TAKE]! > 0 || free[PUT]! > 0)) {
      // One of this thread's own asynchronous waiters is gone once it is granted.
      const next = queues.after(node)
      const side = sideOf(node)
      if (!queues.isGranted(node) && free[side]! > 0) {
        if (!queues.isAsync(node)) grant(address, node, side)
        else if (isAwake(node, self)) {
          grant(address, node, side)
          moved = true
        } else {
          queues.wakeUp(node)
          if (isOwn(node) || memory.isParked(queues.threadOf(node))) {
            node = next
            continue
          }
        }
        free[side]!--
      }
      node = next
    }
    return moved
  }

  /** How many of those who wait on a side may go now. */
  function toBeHad(address: number, side: Side): number {
    return isRefused(address, side) ? Infinity : freeFor(address, side)
  }

  function grant(address: number, node: WaitNode, side: Side): void {
    memory.set(grantedAt(address, side), memory.get(grantedAt(address, side)) + 1)
    queues.grant(node)
  }

  /** The thread of a granted node has seen it: now its element is moved. */
  function seen(address: number, node: WaitNode): void {
    const side = sideOf(node)
    const request = requests.get(queues.asks(node) >>> 1)!
    if (isRefused(address, side)) request.outcome = 'closed'
    else move(address, request)
    memory.set(grantedAt(address, side), memory.get(grantedAt(address, side)) - 1)
    if (!serving) serveSettled(address, 0)
  }

  /** Its thread gives up, though it was granted. */
  function giveBack(address: number, node: WaitNode): void {
    const granted = grantedAt(address, sideOf(node))
    queues.waitOn(node)
    memory.set(granted, memory.get(granted) - 1)
  }

  function isOwn(node: WaitNode): boolean {
    return queues.threadOf(node) === memory.ownThreadId()
  }

  /** Whether an asynchronous waiter is of this thread, and that isn't about to block. */
  function isAwake(node: WaitNode, self: WaitNode): boolean {
    return isOwn(node) && (self === 0 ? !memory.isParked(memory.ownThreadId()) : queues.isAsync(self))
  }

  /** Takes the dead out of the line, if there were deaths, and counts anew. */
  function settle(address: number): void {
    const deaths = memory.deaths()
    if (deaths === memory.get(address + DEATHS)) return
    const granted = [0, 0]
    for (let node = waiting.firstLiving(address); node !== 0; node = waiting.nextLiving(node)) {
      if (queues.isGranted(node)) granted[sideOf(node)]!++
    }
    memory.set(grantedAt(address, TAKE), granted[TAKE]!)
    memory.set(grantedAt(address, PUT), granted[PUT]!)
    memory.set(address + DEATHS, deaths)
  }

  function sideOf(node: WaitNode): Side {
    return (queues.asks(node) & 1) as Side
  }

  function grantedAt(address: number, side: Side): number {
    return address + GRANTED + 4 * side
  }

  function isClosedInside(address: number): boolean {
    return memory.get(address + CLOSED) !== 0
  }

  /** What is neither kept for a waiter nor, for those who put, used. */
  function freeFor(address: number, side: Side): number {
    const elements = sizeInside(address)
    const there = side === TAKE ? elements : memory.get(address + CAPACITY) - elements
    return there - memory.get(grantedAt(address, side))
  }

  function sizeInside(address: number): number {
    const span = memory.get(address + TAIL) - memory.get(address + HEAD)
    return span >= 0 ? span : span + 2 * memory.get(address + CAPACITY)
  }

  function following(address: number, at: number): number {
    return at + 1 === 2 * memory.get(address + CAPACITY) ? 0 : at + 1
  }

  function cellOf(address: number, at: number): number {
    const capacity = memory.get(address + CAPACITY)
    const bytes = memory.get(address + CELL_BYTES)
    const ring = memory.get(address + RING)
    memory.reach(ring + capacity * bytes)
    return ring + (at >= capacity ? at - capacity : at) * bytes
  }

  return { tryNow, waitSync, enqueue, close, isClosed, size, each }
}
