/**
 * How threads wait in queues (`wait-queue.ts`): blocked (`blocking.ts`), or with their event loops running
 * (`awaiting.ts`); and what the kinds of primitives say of it.
 */
import type { ThreadId } from '@flatshare/core'
import { makeAwaiting } from './awaiting.js'
import { makeBlocking } from './blocking.js'
import { NODE_BYTES, type WaitNode, type WaitQueues } from './wait-queue.js'

/** What a kind of primitive does with those who wait for it. */
export interface Kind {
  /** Grants what can be granted at the address. `self` is a node whose thread is awake, the running one; else 0. */
  serve(address: number, self: WaitNode): void
  /** The thread of a granted node has seen it, and unlinks it after this; `address` is the node's. */
  seen?(address: number, node: WaitNode): void
  /** Takes back what was granted to an asynchronous waiter whose thread blocks before it could see it. */
  giveBack?(address: number, node: WaitNode): void
  /** Threads of which each must go on before one that waits there can: for the search for deadlocks. */
  holders?(address: number): readonly ThreadId[]
}

export type Waiting = ReturnType<typeof makeWaiting>

/** This thread's block: the node that it blocks on, its inbox. */
const OWN_BYTES = 16
const INBOX = 4

export function makeWaiting(queues: WaitQueues) {
  const { memory } = queues
  const kinds = new Map<number, Kind>()
  let ownBlock = 0
  const awaiting = makeAwaiting(queues, kinds, () => own() + INBOX)
  const { block, timedOut } = makeBlocking(queues, kinds, awaiting, () => memory.get(own()))

  /** The address of this thread's block. */
  function own(): number {
    if (ownBlock === 0) {
      const block = memory.ownBlock(OWN_BYTES)
      const node = memory.get(block)
      memory.reach(node + NODE_BYTES)
      // A node that a dead thread of this place waits with is left to whoever comes upon it.
      if (node === 0 || queues.isLinked(node)) memory.set(block, memory.allocate(NODE_BYTES))
      memory.store(block + INBOX, 0)
      ownBlock = block
    }
    return ownBlock
  }

  /** The first living waiter at an address; what comes before is dropped. */
  function firstLiving(address: number): WaitNode {
    let node = queues.first(address)
    while (node !== 0 && !queues.isLiving(node)) {
      drop(node)
      node = queues.first(address)
    }
    return node
  }

  /** The living waiter after another one; what comes between is dropped. */
  function nextLiving(node: WaitNode): WaitNode {
    let next = queues.after(node)
    while (next !== 0 && !queues.isLiving(next)) {
      drop(next)
      next = queues.after(node)
    }
    return next
  }

  /** Takes a dead thread's node out of its queue. */
  function drop(node: WaitNode): void {
    queues.unlink(node)
    free(node)
  }

  /** Gives back a dead thread's node. */
  function free(node: WaitNode): void {
    // One that blocked is its place's; one in an inbox is lost with it.
    if (queues.isAsync(node) && !queues.isMailed(node)) memory.free(node, NODE_BYTES)
  }

  return {
    queues,
    /** Says what is done with those who wait for a kind of primitive. */
    register: (id: number, kind: Kind): void => void kinds.set(id, kind),
    enter: queues.enter,
    leave: awaiting.leave,
    block,
    enqueue: awaiting.enqueue,
    withdraw: awaiting.withdraw,
    firstLiving,
    nextLiving,
    drop,
    timedOut,
  }
}
