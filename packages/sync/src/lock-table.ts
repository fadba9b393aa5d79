/**
 * The requests of `locks`, of all threads, in shared memory: the "lock task queue" of the Web Locks specification.
 *
 *   table   +0 dirty: it is being changed   +4 the last number given   +8 deaths that were seen   +12 resources
 *
 * Names are resources (`lock-resources.ts`), each with a list of requests (`lock-requests.ts`): it is made for the first
 * and freed with the last.
 *
 * One guard for all, that of the table's queue (`wait-queue.ts`), where those who wait have a node each. So there is an
 * order of all requests, and a query sees one moment. Who changes a list grants what can be granted then; the node is the
 * way in which a waiting thread hears of it.
 *
 * A holder waits for nothing, and can be robbed. For that each thread has a *bell*, a word that it sleeps on without
 * keeping anything alive: whoever robs it rings, and the thread looks through what it holds.
 *
 * A thread may die at any point inside. Who enters next finds the table dirty, and mends each list:
 *
 * - `next`, of resources and of requests, is the truth;
 * - `GRANTED` is the truth: whoever waits looks again after a death, and its node is granted what its request was;
 * - those who are robbed are marked, then rung for, then unlinked: what is marked and linked is rung for again.
 *
 * What the dead held and waited for is taken out in the same way, by the first who enters after a death: the count of
 * deaths tells. At worst a block that was being moved is lost with its thread.
 */
import type { LockInfo, LockManagerSnapshot, LockMode } from './lock-manager.js'
import {
  BELL,
  EXCLUSIVE,
  GRANTED,
  type LockRequest,
  makeRequestLists,
  NEXT,
  NODE,
  NUMBER,
  REQUEST_BYTES,
  RESOURCE,
  STATE,
  STOLEN,
  THREAD,
} from './lock-requests.js'
import { FIRST, FIRST_WAITING, hashOf, makeResources, type Resource } from './lock-resources.js'
import { NODE_BYTES, type WaitNode } from './wait-queue.js'
import type { Waiting } from './waiting.js'

const DIRTY = 0
const LAST_NUMBER = 4
const DEATHS_SEEN = 8
const RESOURCES = 12

/** Of the block that belongs to a thread, the engine uses two words; the bell is the third. */
const OWN_BLOCK_BYTES = 16
const BELL_IN_BLOCK = 8

const KIND = 9

/** Who made a request. Neither function may throw. */
export interface Requester {
  /** The lock is his; called inside of `enter` too. */
  granted(): void
  /** The lock, which was his, isn't any more; he leaves the table nevertheless. */
  stolen(): void
}

/** How a request enters: it waits, or is refused where it would have to, or robs those who hold. */
export type Entrance = 'queue' | 'ifAvailable' | 'steal'

/** A request of this thread. */
export interface Ticket {
  readonly requester: Requester
  /** Its address; 0 once it has left the table, or heard that it was robbed. */
  request: LockRequest
  /** Its node, until it was heard of. */
  node: WaitNode
}

/** The table over a memory. `shared` gives the bytes that all threads share, zero at first. */
export function makeLockTable(waiting: Waiting, shared: (bytes: number) => number, buckets = 1024) {
  const { queues } = waiting
  const { memory } = queues
  const { get, set } = memory
  const resources = makeResources(memory, buckets)
  const lists = makeRequestLists(memory, rob)
  let table = 0
  let bell = 0
  /** What this thread holds, as far as it has heard. */
  const holds = new Set<Ticket>()

  waiting.register(KIND, {
    serve(_, self) {
      if (self !== 0) {
        // Before anything is granted: what is granted to this thread's own node frees that.
        const request = queues.asks(self)
        set(request + NODE, self)
        if (get(request + STATE) & GRANTED) queues.grant(self)
      }
      mendIfNeeded()
    },
  })

  function enter(name: string, mode: LockMode, entrance: Entrance, requester: Requester): Ticket | undefined {
    if (table === 0) open()
    const hash = hashOf(name)
    const request = memory.allocate(REQUEST_BYTES)
    const ticket: Ticket = { requester, request, node: 0 }
    waiting.enter(table)
    mendIfNeeded()
    const known = resources.find(name, hash)
    const exclusive = mode === 'exclusive' ? EXCLUSIVE : 0
    const admitted = known === 0 || (get(known + FIRST_WAITING) === 0 && lists.admits(known, exclusive))
    if (!admitted && entrance === 'ifAvailable') {
      waiting.leave()
      memory.free(request, REQUEST_BYTES)
      return undefined
    }
    set(table + DIRTY, 1)
    const resource = known === 0 ? makeResource(name, hash, request) : known
    const granted = admitted || entrance === 'steal'
    set(request + RESOURCE, resource)
    set(request + THREAD, memory.ownThreadId())
    set(request + STATE, granted ? exclusive | GRANTED : exclusive)
    set(request + BELL, bell)
    setNumber(request)
    if (granted && !admitted) lists.robHolders(resource)
    if (granted) lists.addHolder(resource, request)
    else lists.addWaiting(resource, request)
    set(table + DIRTY, 0)
    if (granted) {
      holds.add(ticket)
      waiting.leave()
      // Its own requests can be among those that were robbed: these hear first.
      if (!admitted) hearOfRobberies()
      requester.granted()
    } else wait(ticket)
    return ticket
  }

  /** Finds the table, and listens to the bell of this thread from now on. */
  function open(): void {
    const block = shared(RESOURCES + resources.bytes)
    resources.locate(block + RESOURCES)
    bell = memory.ownBlock(OWN_BLOCK_BYTES) + BELL_IN_BLOCK
    table = block
    listen()
  }

  /** Makes a resource, inside the guard; where memory is full, it leaves the guard. */
  function makeResource(name: string, hash: number, request: LockRequest): Resource {
    try {
      return resources.make(name, hash)
    } catch (error) {
      set(table + DIRTY, 0)
      waiting.leave()
      memory.free(request, REQUEST_BYTES)
      throw error
    }
  }

  function setNumber(request: LockRequest): void {
    const number = (get(table + LAST_NUMBER) + 1) | 0
    set(table + LAST_NUMBER, number)
    set(request + NUMBER, number)
  }

  /** Has a request wait; the guard is entered, and left. */
  function wait(ticket: Ticket): void {
    let heard = false
    const granted = () => {
      heard = true
      ticket.node = 0
      // It can have left before it heard.
      if (ticket.request === 0) return
      holds.add(ticket)
      ticket.requester.granted()
      // It can have been robbed before it heard, and not have been found when the bell rang.
      if (memory.load(ticket.request + STATE) & STOLEN) hearOfRobberies()
    }
    const node = waiting.enqueue(table, { kind: KIND, asks: ticket.request }, { granted })
    // It may have been heard of on the way.
    if (!heard) ticket.node = node
  }

  /** Grants what can be granted, or removes the resource if there is nothing any more. */
  function settle(resource: Resource): void {
    if (get(resource + FIRST) === 0) {
      resources.remove(resource)
      return
    }
    for (let request = lists.grantFirst(resource); request !== 0; request = lists.grantFirst(resource)) {
      setNumber(request)
      const node = get(request + NODE)
      if (node === 0) continue
      memory.reach(node + NODE_BYTES)
      queues.grant(node)
    }
  }

  /** Withdraws a request that waits, or gives up a lock that is held. */
  function leave(ticket: Ticket): void {
    const { request } = ticket
    if (request === 0) return
    waiting.enter(table)
    mendIfNeeded()
    if (get(request + STATE) & STOLEN) {
      waiting.leave()
      hear(ticket)
      return
    }
    const resource = get(request + RESOURCE)
    set(table + DIRTY, 1)
    lists.remove(request)
    settle(resource)
    set(table + DIRTY, 0)
    waiting.leave()
    forget(ticket)
  }

  /** Gives back what is in no list any more. */
  function forget(ticket: Ticket): void {
    const { request, node } = ticket
    holds.delete(ticket)
    ticket.request = 0
    // Before its request is gone, which the node tells of.
    if (node !== 0) waiting.withdraw(node)
    memory.free(request, REQUEST_BYTES)
  }

  /** Has the thread of a request that was robbed look for itself. */
  function rob(request: LockRequest): void {
    const bell = get(request + BELL)
    memory.reach(bell + 4)
    memory.add(bell, 1)
    memory.notify(bell, Infinity)
  }

  /** Looks for robberies, now and at each ring of the bell. */
  function listen(): void {
    const rings = memory.load(bell)
    hearOfRobberies()
    memory.sleepAsync(bell, rings, listen)
  }

  function hearOfRobberies(): void {
    const robbed = [...holds].filter(({ request }) => memory.load(request + STATE) & STOLEN)
    if (robbed.length === 0) return
    // The thief is inside, and about to unlink them, or has died there.
    waiting.enter(table)
    mendIfNeeded()
    waiting.leave()
    for (const ticket of robbed) hear(ticket)
  }

  function hear(ticket: Ticket): void {
    forget(ticket)
    ticket.requester.stolen()
  }

  function mendIfNeeded(): void {
    const deaths = memory.deaths()
    if (get(table + DIRTY) === 0 && get(table + DEATHS_SEEN) === deaths) return
    set(table + DIRTY, 1)
    for (const resource of resources.all()) {
      lists.mend(resource)
      settle(resource)
    }
    // The nodes of the dead are dropped on the way.
    for (let node = waiting.firstLiving(table); node !== 0; ) node = waiting.nextLiving(node)
    set(table + DEATHS_SEEN, deaths)
    set(table + DIRTY, 0)
  }

  /** What is held and what waits, of all threads, at this moment. */
  function snapshot(): LockManagerSnapshot {
    if (table === 0) open()
    const held: Numbered[] = []
    const pending: Numbered[] = []
    waiting.enter(table)
    mendIfNeeded()
    for (const resource of resources.all()) {
      const name = resources.nameOf(resource)
      for (let at = get(resource + FIRST); at !== 0; at = get(at + NEXT)) {
        lists.reach(at)
        const state = get(at + STATE)
        const mode = state & EXCLUSIVE ? 'exclusive' : 'shared'
        const info = { clientId: String(get(at + THREAD)), mode, name } as const
        const list = state & GRANTED ? held : pending
        list.push({ number: get(at + NUMBER), info })
      }
    }
    waiting.leave()
    return { held: inOrder(held), pending: inOrder(pending) }
  }

  return { enter, leave, snapshot }
}

interface Numbered {
  readonly number: number
  readonly info: LockInfo
}

/** Numbers wrap around; those that are in use together are near each other. */
function inOrder(list: Numbered[]): LockInfo[] {
  return list.sort((a, b) => (a.number - b.number) | 0).map(({ info }) => info)
}
