/**
 * Cycles of threads that block for each other.
 *
 * A thread announces the node that it parks on before it sleeps, then walks: which threads must go on
 * before this one can, what is each of them parked on, who must go on for that … Of the threads that close
 * a cycle, the one that announced last finds all others announced; so at least one finds it.
 *
 * What it read link by link need never have been true at one time. It is, if a second look finds the
 * same: each thread still in the very wait (`timesParked`) that it was in, granted nothing, and each lock
 * still held as it was. A parked thread releases nothing, so between the two looks all links held
 * together: nobody is accused who isn't in a cycle.
 *
 * A thread that is blocked on a call to another one (core's `blocked-calls.ts`) is a link as well, from that thread
 * to the one that it called. It doesn't look here by itself, but wakes the lock's waiter that its own
 * search comes upon: so of a cycle with calls and locks one that waits for a lock is refused.
 *
 * The second look is taken inside one guard, the same for all, and who is refused there marks its node as
 * awake before it leaves: so one thread of a cycle is refused, and the others find it broken.
 */
import { DeadlockError, type ThreadId } from '@flatshare/core'
import { LOOK_AGAIN, threadName } from '@flatshare/core/internal'
import { STATE, type WaitNode, type WaitQueues } from './wait-queue.js'
import type { Kind } from './waiting.js'

/** Any address: its queue's guard is the one for second looks. */
const COURT = 0

interface Link {
  readonly thread: ThreadId
  /** 0 where it blocks on a call. */
  readonly node: WaitNode
  readonly serial: number
}

export function makeDeadlock(queues: WaitQueues, kinds: ReadonlyMap<number, Kind>) {
  const { memory } = queues

  /**
   * Throws a DeadlockError if this thread, which has announced that it parks on `node`, closes a cycle.
   * What it says of its own wait is `what`.
   */
  function refuse(node: WaitNode, what: () => string): void {
    const me = memory.ownThreadId()
    const cycle = walk([{ thread: me, node, serial: memory.timesParked(me) }])
    if (!cycle) return
    queues.enter(COURT)
    const stands =
      cycle.every((link, i) => isWaiting(link) && waitsFor(link).includes(at(cycle, i + 1).thread)) &&
      // A thread of the cycle may have been terminated since, and its lock handed on.
      queues.wakeSelf(node)
    queues.leave()
    if (!stands) return
    const links = cycle.map(({ thread, node: waitsOn }, i) => {
      const wanted = (i === 0 ? what() : memory.waitNote(thread)) || 'a lock'
      const by = waitsOn === 0 ? 'called on' : 'held by'
      return `"${threadName(thread)}" waits for ${wanted}, ${by} "${threadName(at(cycle, i + 1).thread)}"`
    })
    throw new DeadlockError(`These threads wait for each other for ever: ${links.join('; ')}.`, { cycle: links })
  }

  /** Goes on from a chain of waits, depth first, until it comes back to its first thread. */
  function walk(chain: readonly Link[]): readonly Link[] | undefined {
    for (const thread of waitsFor(chain[chain.length - 1]!)) {
      if (thread === chain[0]!.thread) return chain
      // A cycle that this thread only waits upon is others' to find.
      if (chain.some((link) => link.thread === thread)) continue
      const serial = memory.timesParked(thread)
      const node = memory.parkedOnNode(thread)
      if ((node === 0 && memory.calleeOf(thread) === 0) || !memory.isAlive(thread)) continue
      const found = walk([...chain, { thread, node, serial }])
      if (found) return found
    }
    return undefined
  }

  function waitsFor({ thread, node }: Pick<Link, 'thread' | 'node'>): readonly ThreadId[] {
    if (node !== 0) return holders(node)
    const callee = memory.calleeOf(thread)
    return callee === 0 ? [] : [callee]
  }

  function holders(node: WaitNode): readonly ThreadId[] {
    memory.reach(node + 48)
    const address = queues.addressOf(node)
    if (address === 0) return []
    memory.reach(address + 16)
    return kinds.get(queues.kindOf(node))?.holders?.(address) ?? []
  }

  function isWaiting({ thread, node, serial }: Link): boolean {
    return (
      memory.parkedOnNode(thread) === node &&
      memory.timesParked(thread) === serial &&
      (node === 0 || (memory.load(node + STATE) & ~LOOK_AGAIN) === 0)
    )
  }

  /** Who holds what is waited for, and what each of them waits for in turn: '' where nobody is known. */
  function heldBy(
    threads: readonly ThreadId[],
    seen: readonly ThreadId[] = [memory.ownThreadId()],
    how = 'held by',
  ): string {
    if (threads.length === 0) return ''
    const links = threads.map((thread) => {
      if (thread === memory.ownThreadId()) return 'this thread'
      const name = `"${threadName(thread)}"`
      const node = memory.parkedOnNode(thread)
      const next = waitsFor({ thread, node })
      if (node === 0 && next.length === 0) return memory.isParked(thread) ? `${name}, which is blocked` : name
      if (seen.includes(thread)) return name
      const chain = heldBy(next, [...seen, thread], node === 0 ? 'called on' : 'held by')
      return `${name}, which waits for ${memory.waitNote(thread) || 'something'}${chain && `, ${chain}`}`
    })
    return `${how} ${links.join(' and ')}`
  }

  return { refuse, heldBy }
}

function at(cycle: readonly Link[], index: number): Link {
  return cycle[index % cycle.length]!
}
