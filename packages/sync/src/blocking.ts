/**
 * Waiting in a queue (`wait-queue.ts`) with the thread blocked: on the one node of its own, whose state it
 * parks on.
 *
 *   link ─ serve ─┬─ granted ─ unlink                                  (inside the guard)
 *          ↑      └─ leave ─ spin ─ announce ─ deaths unchanged? no cycle? ─ sleep while state is 0
 *          └──── enter ─ granted? ─ state := 0 ←──────────────────────────────┘
 *
 * Invariants
 * - Deaths are counted before `serve` looks at anything; so a death that `serve` hasn't seen keeps the
 *   thread from sleeping.
 * - Who is woken and gives up lets the others be served before it goes.
 */
import { CannotBlockError, type ThreadId } from '@flatshare/core'
import { threadName, timeoutError } from '@flatshare/core/internal'
import type { Awaiting } from './awaiting.js'
import { makeDeadlock } from './deadlock.js'
import { headroom, STATE, type WaitNode, type WaitQueues, type WaitRequest } from './wait-queue.js'
import type { Kind } from './waiting.js'

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
  /** Takes what is waited for without the guard, if it can: gives the result. Tried again and again before it parks. */
  readonly takeNow?: () => number | undefined
}

/** How long to block for a thread that isn't blocked: it may await what this one is to do, and no cycle can prove it. */
const AWAITING_HOLDER_MS = 30_000

/** More than a wait needs, and the guards that it enters, as `headroom` counts. */
const STACK_FRAMES = 64

/** `ownNode` gives the node that this thread blocks on. */
export function makeBlocking(
  queues: WaitQueues,
  kinds: ReadonlyMap<number, Kind>,
  { leave, passOn }: Awaiting,
  ownNode: () => WaitNode,
) {
  const { memory } = queues
  const deadlock = makeDeadlock(queues, kinds)

  /**
   * Waits until the request is granted; gives its result. The guard is entered; it is left in any case.
   *
   * @throws TimeoutError, DeadlockError, CannotBlockError
   */
  function block(address: number, request: WaitRequest, options: BlockOptions): number {
    const kind = kinds.get(request.kind)!
    const node = prepared()
    queues.link(node, address, request, 0)
    try {
      return waitFor(address, kind, node, options)
    } catch (error) {
      if (queues.isLinked(node)) abandon(address, kind, node)
      throw error
    }
  }

  /** Something was thrown that is none of the wait's own errors: no memory for a note, no stack, a callback's error. */
  function abandon(address: number, kind: Kind, node: WaitNode): void {
    queues.enter(address)
    if (queues.isGranted(node)) kind.giveBack?.(address, node)
    giveUp(node, address, kind)
  }

  function waitFor(address: number, kind: Kind, node: WaitNode, options: BlockOptions): number {
    const mayBlock = memory.canBlock()
    const patience = patienceFor(kind, options, mayBlock)
    let end: number | undefined
    for (;;) {
      const deaths = memory.deaths()
      if (!queues.isGranted(node)) kind.serve(address, node)
      if (queues.isGranted(node)) return take(node, kind)
      const first = end === undefined
      end ??= memory.now() + patience
      let left = patience === Infinity ? Infinity : end - memory.now()
      if (left <= 0) {
        const holders = kind.holders?.(address) ?? []
        if (options.timeout !== undefined || !mayBlock || !holders.some((id) => memory.isParked(id))) {
          giveUp(node, address, kind)
          throw mayBlock || options.timeout === 0 ? late(options, patience, holders) : cannotBlock(options, holders)
        }
        // Who is blocked itself goes on waiting for others, or a cycle would have been found.
        end = memory.now() + patience
        left = patience
      }
      leave()
      if (first) options.linked?.()
      const taken = spin(node, options.takeNow)
      if (taken === undefined && mayBlock) sleep(node, address, kind, options, deaths, left)
      queues.enter(address)
      if (typeof taken === 'number') return leaveWith(node, address, kind, taken)
      if (!queues.isGranted(node)) queues.waitOn(node)
    }
  }

  /** The node; where there is no memory for it, or no stack to wait, the guard is left. */
  function prepared(): WaitNode {
    try {
      headroom(STACK_FRAMES)
      return ownNode()
    } catch (error) {
      leave()
      throw error
    }
  }

  /** Milliseconds. */
  function patienceFor(kind: Kind, { timeout }: BlockOptions, mayBlock: boolean): number {
    const patience = timeout ?? (kind.holders ? AWAITING_HOLDER_MS : Infinity)
    return mayBlock ? patience : Math.min(patience, memory.awakeMs)
  }

  function sleep(
    node: WaitNode,
    address: number,
    kind: Kind,
    options: BlockOptions,
    deaths: number,
    left: number,
  ): void {
    const worthwhile = () => {
      if (memory.deaths() !== deaths) return false
      passOn()
      return !isRefused(node, address, kind, options.what)
    }
    memory.park(node + STATE, 0, left, worthwhile, options.what())
  }

  /** Throws a DeadlockError where the wait would close a cycle; true if it was granted in that moment. */
  function isRefused(node: WaitNode, address: number, kind: Kind, what: () => string): boolean {
    try {
      deadlock.refuse(node, what)
      return false
    } catch (error) {
      queues.enter(address)
      if (queues.isGranted(node)) {
        leave()
        return true
      }
      giveUp(node, address, kind)
      throw error
    }
  }

  /** What was waited for has been taken without a grant. */
  function leaveWith(node: WaitNode, address: number, kind: Kind, result: number): number {
    queues.unlink(node)
    kind.serve(address, 0)
    leave()
    return result
  }

  function take(node: WaitNode, kind: Kind): number {
    const result = queues.resultOf(node)
    kind.seen?.(queues.addressOf(node), node)
    queues.unlink(node)
    leave()
    return result
  }

  function giveUp(node: WaitNode, address: number, kind: Kind): void {
    queues.unlink(node)
    kind.serve(address, 0)
    leave()
  }

  /**
   * Waits without giving up the core for some microseconds: to park and be woken takes longer. Gives what was
   * taken, or true where the node's state has changed.
   */
  function spin(node: WaitNode, takeNow: BlockOptions['takeNow']): number | true | undefined {
    for (let spins = 0; spins < memory.spins; spins++) {
      const taken = takeNow?.()
      if (taken !== undefined) return taken
      if (memory.load(node + STATE) !== 0) return true
    }
    return undefined
  }

  function late({ what, timeout }: BlockOptions, patience: number, holders: readonly ThreadId[]): Error {
    const hint =
      '. What holds it is not blocked: it may be awaiting what this thread is to do. A timeout of Infinity waits for ever'
    return timedOut(what(), patience, holders, timeout === undefined ? hint : '')
  }

  /** The error for a wait that has taken too long. */
  function timedOut(what: string, timeout: number, holders: readonly ThreadId[], hint = ''): Error {
    const chain = deadlock.heldBy(holders)
    return timeoutError(`Waited ${timeout} ms for ${what}${chain && `, which is ${chain}`}${hint}.`)
  }

  function cannotBlock({ what, instead }: BlockOptions, holders: readonly ThreadId[]): Error {
    const chain = deadlock.heldBy(holders)
    return new CannotBlockError(
      `The thread "${threadName(memory.ownThreadId())}" may not block, and waited ${memory.awakeMs} ms for ${what()}` +
        `${chain && `, which is ${chain}`}. Instead: ${instead}.`,
    )
  }

  return { block, timedOut }
}
