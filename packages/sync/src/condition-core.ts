/**
 * The algorithm of `Condition`: threads that hold a mutex give it up until another one notifies them.
 *
 *   condition  +0 word: notifications that are owed, because those who had them died
 *
 * Who waits has two nodes in the condition's queue (`wait-queue.ts`): a *token*, which is his place, and
 * behind it, while he sleeps, the *sleeper*, which is the node that the engine wakes him by.
 *
 *   token      sleeper     the waiter
 *   waiting    waiting     waits
 *   granted    waiting     is notified, and not yet to wake up
 *   granted    granted     is notified and woken
 *   granted    –           comes for the mutex
 *   waiting    –           gives up: takes its token out, unless that has been granted meanwhile
 *   –          –           has the mutex again; or has given up, and comes for it
 *
 * Wait: link token and sleeper, leave the guard, unlock the mutex, sleep; lock the mutex; take the token out.
 * So whoever notifies after the mutex was unlocked finds the token.
 * Notify: grant the first n tokens that aren't. The tokens are all the truth there is: `serve` grants a
 * sleeper because of its token.
 *
 * No herd: of the notified that block, only the first is woken, the others sleep on until its token is
 * taken out: then it has the mutex. Those that await are woken at once, since they cost no thread a switch
 * and queue for the mutex in order; and nobody waits for one of them, whose thread may be busy or blocked.
 *
 * Deaths
 * - Only a waiter that has the mutex takes its granted token out. One whose thread dies before that leaves it
 *   behind: whoever comes upon it takes it out and raises the word, in one step (the queue's journal).
 *   Then as many other tokens are granted, each in one step with the word. Where nobody else waits the
 *   word becomes 0: a notification is for those who wait.
 * - A death makes all that wait look again, and so serve: they grant what a notifier that died half-way
 *   had not, wake the next of the notified, and find the tokens of the dead.
 * - A token stands before its sleeper, and no dead thread's token is freed before a walk that takes out all
 *   sleepers of the dead behind it. So the token of a living thread's sleeper is there.
 *
 * Invariants, outside of the guard
 * - The word is 0.
 * - Of the notified that block, the first is woken or awake.
 * - All tokens are for one mutex.
 *
 * After POSIX condition variables, and the requeueing of futexes for "no herd".
 */
import { CannotBlockError, FlatshareError } from '@flatshare/core'
import { threadName } from '@flatshare/core/internal'
import type { AsyncWaiter } from './awaiting.js'
import type { makeLock, Outcome } from './lock.js'
import { NODE_BYTES, type WaitNode } from './wait-queue.js'
import type { Waiting } from './waiting.js'

/** What a condition takes; zero at first. */
export const CONDITION_BYTES = 16

/** The kind of a sleeper; it asks for its token. */
const SLEEPER = 4
/** The kind of a token, which no thread waits on; it asks for its mutex, negative for a waiter that awaits. */
const TOKEN = 11

/** A place among those who wait. */
export type Token = WaitNode

/** How to wait, blocking. */
export interface ConditionWait {
  /** Milliseconds; without it, for ever. */
  readonly timeout?: number | undefined
  /** What is waited for, in errors. */
  readonly what: () => string
  /** The lock that this thread holds, and what errors call it. */
  readonly mutex: number
  readonly mutexName: () => string
  /** This thread holds the lock again. */
  relocked(outcome: Outcome): void
}

/** The functions of a condition over a memory. */
export function makeCondition(waiting: Waiting, lock: ReturnType<typeof makeLock>) {
  const { queues } = waiting
  const { memory } = queues

  waiting.register(SLEEPER, { serve })

  /** @throws CannotBlockError where this thread may not block. */
  function checkMayBlock(what: () => string): void {
    if (memory.canBlock()) return
    throw new CannotBlockError(
      `The thread "${threadName(memory.ownThreadId())}" may not block, and would for ${what()}. Instead: await it, by wait().`,
    )
  }

  /**
   * Unlocks the mutex, blocks until notified, and locks it again. When it returns or throws the mutex is
   * locked; except by a DeadlockError, when that would never be.
   */
  function waitSync(address: number, wait: ConditionWait): void {
    const { mutex, relocked } = wait
    let token: Token
    try {
      token = enter(address, mutex, mutex)
    } catch (error) {
      relocked('acquired')
      throw error
    }
    let unlocked = false
    let failure: unknown
    try {
      const request = { kind: SLEEPER, asks: token }
      const linked = () => {
        unlocked = true
        lock.releaseToBlock(mutex)
      }
      waiting.block(address, request, {
        timeout: wait.timeout,
        what: wait.what,
        instead: 'await it, by wait()',
        linked,
      })
    } catch (error) {
      failure = error
    }
    const gaveUp = failure !== undefined && withdraw(address, token)
    let outcome: Outcome = 'acquired'
    try {
      if (unlocked) outcome = lock.acquireSync(mutex, { timeout: Infinity, what: wait.mutexName, evenIfOwn: true })
    } catch (error) {
      if (!gaveUp) passOn(address, token)
      throw error
    }
    if (!gaveUp) retire(address, token)
    relocked(outcome)
    if (gaveUp) throw failure
  }

  /**
   * Queues a waiter that awaits, and unlocks the mutex. Once he is granted he is to lock it, then to call
   * `retire`. To give up, withdraw the node, then the token.
   */
  function enqueue(address: number, mutex: number, waiter: AsyncWaiter): { token: Token; node: WaitNode } {
    const token = enter(address, mutex, -mutex)
    let node: WaitNode
    try {
      node = waiting.enqueue(address, { kind: SLEEPER, asks: token }, waiter)
    } catch (error) {
      withdraw(address, token)
      throw error
    }
    lock.release(mutex)
    return { token, node }
  }

  /** Enters the guard and links a token there. */
  function enter(address: number, mutex: number, asks: number): Token {
    const token = memory.allocate(NODE_BYTES)
    waiting.enter(address)
    // What is owed is for those who are here already.
    serve(address)
    const first = queues.first(address)
    const other = first === 0 ? mutex : Math.abs(queues.asks(first))
    if (other !== mutex) {
      waiting.leave()
      memory.free(token, NODE_BYTES)
      throw new FlatshareError(
        'Others wait for this condition with another mutex. All that wait for one condition at a time hold the same mutex, ' +
          'which guards what they wait for.',
      )
    }
    queues.link(token, address, { kind: TOKEN, asks }, 0)
    return token
  }

  /** Takes back the token of a waiter who gives up; false if he was notified just before. */
  function withdraw(address: number, token: Token): boolean {
    waiting.enter(address)
    const inTime = !queues.isGranted(token)
    if (inTime) queues.unlink(token)
    waiting.leave()
    if (inTime) memory.free(token, NODE_BYTES)
    return inTime
  }

  /** A notified waiter has the mutex: now the next of them may come. */
  function retire(address: number, token: Token): void {
    waiting.enter(address)
    queues.unlink(token)
    serve(address)
    waiting.leave()
    memory.free(token, NODE_BYTES)
  }

  /** A notified waiter can't have the mutex: another one is notified instead. */
  function passOn(address: number, token: Token): void {
    waiting.enter(address)
    queues.dropWith(token, memory.load(address) + 1)
    serve(address)
    waiting.leave()
    memory.free(token, NODE_BYTES)
  }

  /** Notifies those that have waited longest, `most` at most; gives how many there were. */
  function notify(address: number, most: number): number {
    waiting.enter(address)
    let notified = 0
    for (let node = queues.first(address); node !== 0 && notified < most; node = queues.after(node)) {
      if (!isWaiting(node)) continue
      queues.grantQuietly(node)
      notified++
    }
    if (notified > 0) serve(address)
    waiting.leave()
    return notified
  }

  /** How many wait and aren't notified. */
  function waiters(address: number): number {
    waiting.enter(address)
    let count = 0
    for (let node = queues.first(address); node !== 0; node = queues.after(node)) if (isWaiting(node)) count++
    waiting.leave()
    return count
  }

  /** Whether it is the token of a living waiter that isn't notified. */
  function isWaiting(node: WaitNode): boolean {
    return isToken(node) && !queues.isGranted(node) && queues.isLiving(node)
  }

  function isToken(node: WaitNode): boolean {
    return queues.kindOf(node) === TOKEN
  }

  function serve(address: number): void {
    takeOutDead(address)
    grantOwed(address)
    wake(address)
  }

  function takeOutDead(address: number): void {
    let node = queues.first(address)
    while (node !== 0) {
      const next = queues.after(node)
      if (!queues.isLiving(node)) {
        if (!isToken(node)) waiting.drop(node)
        else {
          if (queues.isGranted(node)) queues.dropWith(node, memory.load(address) + 1)
          else queues.unlink(node)
          memory.free(node, NODE_BYTES)
        }
      }
      node = next
    }
  }

  function grantOwed(address: number): void {
    let owed = memory.load(address)
    for (let node = queues.first(address); node !== 0 && owed > 0; node = queues.after(node)) {
      if (isWaiting(node)) queues.grantWith(node, --owed)
    }
    if (owed > 0) memory.store(address, 0)
  }

  /** Grants the sleepers of all notified waiters that await, and of the first one that blocks. */
  function wake(address: number): void {
    let coming = 0
    let node = queues.first(address)
    while (node !== 0) {
      // One of this thread's own asynchronous waiters is gone once it is granted.
      const next = queues.after(node)
      if (isToken(node)) {
        if (coming === 0 && queues.asks(node) > 0 && queues.isGranted(node)) coming = node
      } else if (!queues.isGranted(node)) {
        const token = queues.asks(node)
        if (token === coming || (queues.isAsync(node) && queues.isGranted(token))) queues.grant(node)
      }
      node = next
    }
  }

  return { checkMayBlock, waitSync, enqueue, withdraw, retire, notify, waiters }
}
