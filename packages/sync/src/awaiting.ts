/**
 * Waiting in a queue (`wait-queue.ts`) with the event loop running: a node for each waiter.
 *
 * Who grants or wakes a node puts it into the *inbox* of its thread, a lock-free stack whose head is the
 * word that the thread's one asynchronous sleep is for. What the running thread itself grants to one of its
 * own waiters is delivered when the guard is left.
 *
 *   node                       in the inbox                       here
 *   waits                      no                                 a waiter
 *   woken, or granted          yes, until the inbox is opened     a waiter
 *   granted by its own thread  as it was                          unlinked; *spent* while in the inbox
 *   withdrawn                  as it was                          unlinked; *spent* while in the inbox
 *
 * Invariants
 * - The thread sleeps for its inbox while it has waiters, and its event loop is held open just as long.
 * - A node is freed when it is neither linked nor in the inbox.
 * - Before the thread blocks, it has served, once more, the addresses of those that it was told of, and given
 *   back what a kind can take back: its event loop won't look.
 */
import { headroom, NODE_BYTES, type WaitNode, type WaitQueues, type WaitRequest } from './wait-queue.js'
import type { Kind } from './waiting.js'

/** Somebody who waits without blocking. */
export interface AsyncWaiter {
  /** He has what he asked for. Must not throw. */
  granted(result: number): void
}

/** More than an asynchronous wait needs to begin, as `headroom` counts. */
const STACK_FRAMES = 64

export type Awaiting = ReturnType<typeof makeAwaiting>

/** `inbox` gives the address of this thread's inbox. */
export function makeAwaiting(queues: WaitQueues, kinds: ReadonlyMap<number, Kind>, inbox: () => number) {
  const { memory } = queues
  const waiters = new Map<WaitNode, AsyncWaiter>()
  /** Nodes that are in the inbox and not needed any more. */
  const spent = new Set<WaitNode>()
  /** Own waiters that were granted inside the guard. */
  let delivered: Array<{ waiter: AsyncWaiter; result: number }> = []
  let letGo: (() => void) | undefined
  let asleep = false

  queues.onOwnGrant((node, result) => {
    if (waiters.has(node)) see(node, result)
  })

  memory.onExit(lookAgain)

  /** Leaves the guard, and tells own waiters what they were granted inside. */
  function leave(): void {
    queues.leave()
    if (delivered.length === 0) return
    const due = delivered
    delivered = []
    if (waiters.size === 0) close()
    for (const { waiter, result } of due) waiter.granted(result)
  }

  /** Queues an asynchronous waiter. The guard is entered, and left; he may be granted at once. */
  function enqueue(address: number, request: WaitRequest, waiter: AsyncWaiter): WaitNode {
    const [node, box] = allocate()
    letGo ??= memory.holdOpen()
    waiters.set(node, waiter)
    queues.link(node, address, request, box)
    kinds.get(request.kind)!.serve(address, node)
    const waits = waiters.has(node)
    leave()
    if (waits) sleep()
    return node
  }

  /** A node, and the inbox; where there is no memory for them, or no stack to wait, the guard is left. */
  function allocate(): [WaitNode, number] {
    try {
      headroom(STACK_FRAMES)
      return [memory.allocate(NODE_BYTES), inbox()]
    } catch (error) {
      leave()
      throw error
    }
  }

  function close(): void {
    letGo?.()
    letGo = undefined
  }

  /** Takes a waiter out of the queue; false where he was granted what he asked for. */
  function withdraw(node: WaitNode): boolean {
    if (!waiters.has(node)) return false
    const address = queues.addressOf(node)
    queues.enter(address)
    // A thread that died may have meant to grant it: what it began is finished first.
    if (waiters.has(node) && !queues.isGranted(node)) kinds.get(queues.kindOf(node))!.serve(address, 0)
    const inTime = waiters.has(node) && !queues.isGranted(node)
    if (inTime) {
      const kind = kinds.get(queues.kindOf(node))!
      dismiss(node)
      if (waiters.size === 0) close()
      kind.serve(address, 0)
    }
    leave()
    return inTime
  }

  /** An asynchronous waiter has what he asked for; he is told when the guard is left. */
  function see(node: WaitNode, result: number): void {
    delivered.push({ waiter: waiters.get(node)!, result })
    kinds.get(queues.kindOf(node))!.seen?.(queues.addressOf(node), node)
    dismiss(node)
  }

  function dismiss(node: WaitNode): void {
    waiters.delete(node)
    queues.unlink(node)
    if (queues.isMailed(node)) spent.add(node)
    else memory.free(node, NODE_BYTES)
  }

  function sleep(): void {
    if (asleep) return
    asleep = true
    memory.sleepAsync(inbox(), 0, () => {
      asleep = false
      openInbox()
      if (waiters.size > 0) sleep()
    })
  }

  function openInbox(): void {
    // One by one: until its turn has come, a node that is dismissed is spent, not free.
    for (const node of queues.emptyInbox(inbox())) {
      queues.unmail(node)
      if (waiters.has(node)) look(node)
      else if (spent.delete(node)) memory.free(node, NODE_BYTES)
    }
  }

  /** Lets an asynchronous waiter see what he was woken for. After a death, his mail may be lost. */
  function look(node: WaitNode, afterDeath = false): void {
    const address = queues.addressOf(node)
    queues.enter(address)
    // Who entered finished what a dead thread had begun: that may have been to grant it.
    if (waiters.has(node)) {
      if (afterDeath && queues.isMailed(node) && !queues.peekInbox(inbox()).includes(node)) queues.unmail(node)
      if (!queues.isGranted(node)) {
        queues.waitOn(node)
        kinds.get(queues.kindOf(node))!.serve(address, node)
      }
      if (waiters.has(node) && queues.isGranted(node)) see(node, queues.resultOf(node))
    }
    leave()
  }

  /** After a death: the dead may have been about to wake one of them. */
  function lookAgain(): void {
    if (waiters.size === 0) return
    openInbox()
    for (const node of [...waiters.keys()]) {
      if (waiters.has(node)) look(node, true)
    }
  }

  /** This thread goes to sleep: others are to be woken instead of its asynchronous waiters. */
  function passOn(): void {
    if (waiters.size === 0) return
    for (const node of queues.peekInbox(inbox())) {
      if (!waiters.has(node)) continue
      const address = queues.addressOf(node)
      queues.enter(address)
      if (waiters.has(node)) {
        const kind = kinds.get(queues.kindOf(node))!
        if (!queues.isGranted(node)) kind.serve(address, 0)
        else kind.giveBack?.(address, node)
      }
      leave()
    }
  }

  return { leave, enqueue, withdraw, passOn }
}
