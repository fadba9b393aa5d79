/**
 * How a thread waits in a queue (`wait-queue.ts`): blocked, or with its event loop running.
 *
 * Blocked, it uses the one node of its thread and parks on the node's state:
 *
 *   link ─ serve ─┬─ granted ─ unlink                                  (inside the guard)
 *          ↑      └─ leave ─ spin ─ announce ─ deaths unchanged? no cycle? ─ sleep while state is 0
 *          └──── enter ─ granted? ─ state := 0 ←──────────────────────────────┘
 *
 * Otherwise it has a node for each waiter. Who grants or wakes one puts it into the *inbox* of its thread,
 * a lock-free stack whose head is the word that the thread's one asynchronous sleep is for. What the
 * running thread itself grants to one of its own waiters is delivered when the guard is left.
 *
 * Invariants
 * - "Deaths" are read before `serve` looks at anything; so a death that `serve` hasn't seen keeps the
 *   thread from sleeping.
 * - Who is woken and gives up lets the others be served before it goes.
 * - A thread that blocks can't run what its own asynchronous waiters were woken for, or granted. Before it
 *   sleeps, it has their addresses served again, and gives back what a kind can take back; and `serve`
 *   passes over waiters of threads that are blocked.
 */
import { CannotBlockError, type ThreadId } from '@flatshare/core'
import { threadName, timeoutError } from '@flatshare/core/internal'
import { makeDeadlock } from './deadlock.js'
import { NODE_BYTES, STATE, type WaitNode, type WaitQueues, type WaitRequest } from './wait-queue.js'

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

/** Somebody who waits without blocking. */
export interface AsyncWaiter {
  /** He has what he asked for. Must not throw. */
  granted(result: number): void
}

/** How a thread blocks. */
export interface BlockOptions {
  /** Milliseconds; without it, 30 s where all that is waited for is a thread that isn't blocked itself, else for ever. */
  readonly timeout?: number | undefined
  /** What is waited for, in errors. */
  readonly what: () => string
  /** What to do instead, where this thread may not block. */
  readonly instead: string
  /** Called once, after the node is linked and before the thread waits; not where it is granted at once. */
  readonly linked?: () => void
  /** Looks, without any lock, whether it is worth while to enter the guard: spins for that before it parks. */
  readonly looksFree?: () => boolean
}

/** How long to block for a thread that isn't blocked: it may await what this one is to do, and no cycle can prove it. */
export const AWAITING_HOLDER_MS = 30_000

export type Waiting = ReturnType<typeof makeWaiting>

export function makeWaiting(queues: WaitQueues) {
  const { memory } = queues
  const kinds = new Map<number, Kind>()
  const deadlock = makeDeadlock(queues, kinds)
  /** This thread's block: its node for blocking, and its inbox. */
  let ownBlock = 0
  let blockingNode = 0
  const waiters = new Map<WaitNode, AsyncWaiter>()
  /** Nodes that are in the inbox and not needed any more. */
  const spent = new Set<WaitNode>()
  /** Own waiters that were granted inside the guard. */
  let delivered: Array<{ waiter: AsyncWaiter; result: number }> = []
  let letGo: (() => void) | undefined
  let asleep = false
  /** About how many loads a wait took, of late, that ended before it parked. */
  let usualSpins = 0

  queues.onOwnGrant((node, result) => {
    if (waiters.has(node)) see(node, result)
  })

  memory.onExit(lookAgain)

  function prepare(): void {
    ownBlock = memory.ownBlock(16)
    blockingNode = memory.get(ownBlock)
    // A node that a dead thread of this place waits with is left to whoever comes upon it.
    if (blockingNode === 0 || queues.isLinked(blockingNode))
      memory.set(ownBlock, (blockingNode = memory.allocate(NODE_BYTES)))
    memory.store(ownBlock + 4, 0)
  }

  /** A node, made inside the guard; where there is no memory for it, the guard is left. */
  function allocated(node: () => WaitNode): WaitNode {
    try {
      if (ownBlock === 0) prepare()
      return node()
    } catch (error) {
      leave()
      throw error
    }
  }

  /** Leaves the guard, and tells own waiters what they were granted inside. */
  function leave(): void {
    queues.leave()
    if (delivered.length === 0) return
    const due = delivered
    delivered = []
    if (waiters.size === 0) {
      letGo?.()
      letGo = undefined
    }
    for (const { waiter, result } of due) waiter.granted(result)
  }

  /**
   * Waits, blocking, until the request is granted; gives its result. The guard is entered; it is left in
   * any case.
   *
   * @throws TimeoutError, DeadlockError, CannotBlockError
   */
  function block(address: number, request: WaitRequest, options: BlockOptions): number {
    const kind = kinds.get(request.kind)!
    const node = allocated(() => blockingNode)
    queues.link(node, address, request, 0)
    const mayBlock = memory.canBlock()
    const patience = options.timeout ?? (kind.holders ? AWAITING_HOLDER_MS : Infinity)
    let end = Infinity
    for (let first = true; ; first = false) {
      const deaths = memory.deaths()
      if (!queues.isGranted(node)) kind.serve(address, node)
      if (queues.isGranted(node)) return take(node)
      if (first)
        end =
          patience === Infinity && mayBlock
            ? Infinity
            : memory.now() + (mayBlock ? patience : Math.min(patience, memory.awakeMs))
      let left = end === Infinity ? Infinity : end - memory.now()
      if (left <= 0) {
        const holders = kind.holders?.(address) ?? []
        if (options.timeout === undefined && mayBlock && holders.some((id) => memory.isParked(id))) {
          end = memory.now() + patience
          left = patience
        } else {
          giveUp(node, address, kind)
          if (!mayBlock && options.timeout !== 0) throw cannotBlock(options, holders)
          throw timedOut(options.what(), patience, holders, options.timeout === undefined)
        }
      }
      leave()
      if (first) options.linked?.()
      if (!spin(node, options.looksFree) && mayBlock) {
        const worthwhile = () => {
          if (memory.deaths() !== deaths) return false
          passOn()
          try {
            deadlock.refuse(node, options.what)
          } catch (error) {
            queues.enter(address)
            if (queues.isGranted(node)) {
              // Found too late: it can go on.
              leave()
              return false
            }
            giveUp(node, address, kind)
            throw error
          }
          return true
        }
        memory.park(node + STATE, 0, left, worthwhile, options.what())
      }
      queues.enter(address)
      if (!queues.isGranted(node)) queues.waitOn(node)
    }
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

  function take(node: WaitNode): number {
    const result = queues.resultOf(node)
    kinds.get(queues.kindOf(node))!.seen?.(queues.addressOf(node), node)
    queues.unlink(node)
    leave()
    return result
  }

  function giveUp(node: WaitNode, address: number, kind: Kind): void {
    queues.unlink(node)
    kind.serve(address, 0)
    leave()
  }

  /** Waits without giving up the core, about as long as that has paid of late. */
  function spin(node: WaitNode, looksFree: (() => boolean) | undefined): boolean {
    const limit = memory.canBlock() ? Math.min(memory.spins, usualSpins * 2 + 50) : memory.spins
    for (let spins = 0; spins < limit; spins++) {
      if (memory.load(node + STATE) === 0 && !looksFree?.()) continue
      usualSpins += (spins - usualSpins) / 8
      return true
    }
    usualSpins -= usualSpins / 8
    return false
  }

  /** Queues an asynchronous waiter. The guard is entered, and left; he may be granted at once. */
  function enqueue(address: number, request: WaitRequest, waiter: AsyncWaiter): WaitNode {
    const node = allocated(() => memory.allocate(NODE_BYTES))
    if (waiters.size === 0) letGo = memory.holdOpen()
    waiters.set(node, waiter)
    queues.link(node, address, request, ownBlock + 4)
    kinds.get(request.kind)!.serve(address, node)
    const waits = waiters.has(node)
    leave()
    if (waits) sleep()
    return node
  }

  /** Takes a waiter out of the queue; false where he was granted what he asked for. */
  function withdraw(node: WaitNode): boolean {
    if (!waiters.has(node)) return false
    const address = queues.addressOf(node)
    queues.enter(address)
    const inTime = waiters.has(node) && !queues.isGranted(node)
    if (inTime) {
      const kind = kinds.get(queues.kindOf(node))!
      dismiss(node)
      if (waiters.size === 0) {
        letGo?.()
        letGo = undefined
      }
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
    memory.sleepAsync(ownBlock + 4, 0, () => {
      asleep = false
      openInbox()
      if (waiters.size > 0) sleep()
    })
  }

  function openInbox(): void {
    for (const node of queues.emptyInbox(ownBlock + 4)) {
      if (waiters.has(node)) look(node)
      else if (spent.delete(node)) memory.free(node, NODE_BYTES)
    }
  }

  /** Lets an asynchronous waiter see what he was woken for. */
  function look(node: WaitNode): void {
    const address = queues.addressOf(node)
    queues.enter(address)
    if (waiters.has(node)) {
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
      if (!waiters.has(node)) continue
      queues.enter(queues.addressOf(node))
      const lost = waiters.has(node) && queues.isMailed(node) && !queues.peekInbox(ownBlock + 4).includes(node)
      if (lost) queues.unmail(node)
      queues.leave()
      look(node)
    }
  }

  /** This thread goes to sleep: others are to be woken instead of its asynchronous waiters. */
  function passOn(): void {
    if (waiters.size === 0) return
    for (const node of queues.peekInbox(ownBlock + 4)) {
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

  /** The error for a wait that has taken too long. */
  function timedOut(what: string, timeout: number, holders: readonly ThreadId[], byDefault = false): Error {
    const chain = deadlock.heldBy(holders)
    const hint = byDefault
      ? '. What holds it is not blocked: it may be awaiting what this thread is to do. A timeout of Infinity waits for ever'
      : ''
    return timeoutError(`Waited ${timeout} ms for ${what}${chain && `, which is ${chain}`}${hint}.`)
  }

  function cannotBlock({ what, instead }: BlockOptions, holders: readonly ThreadId[]): Error {
    const chain = deadlock.heldBy(holders)
    return new CannotBlockError(
      `The thread "${threadName(memory.ownThreadId())}" may not block, and waited ${memory.awakeMs} ms for ${what()}` +
        `${chain && `, which is ${chain}`}. Instead: ${instead}.`,
    )
  }

  return {
    queues,
    /** Says what is done with those who wait for a kind of primitive. */
    register: (id: number, kind: Kind): void => void kinds.set(id, kind),
    enter: queues.enter,
    leave,
    block,
    enqueue,
    withdraw,
    firstLiving,
    nextLiving,
    drop,
    timedOut,
  }
}
