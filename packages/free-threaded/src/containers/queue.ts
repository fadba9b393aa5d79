/** The class of `SharedQueue`: a ring of cells (`queue-core.ts`), and a name. */
import { i32, reach, synchronousOnly } from '@flatshare/core/internal'
import type { AwaitOptions } from '@flatshare/sync'
import { awaitGrant, blockingTimeout, checkAwaitOptions, waiting } from '@flatshare/sync/internal'
import type { CellType } from '../cells/cell-type.js'
import { stringCell } from '../cells/string-cell.js'
import { cellTypeNamed } from '../cells/types.js'
import type { DeepReadonly } from '../cells/value-types.js'
import { addressOf } from '../handle.js'
import {
  allocateValue,
  collectGarbage,
  dropHandle,
  enterHeap,
  HEADER_BYTES,
  HeapFullError,
  leaveHeap,
  makeBlock,
  type OwnedVisitor,
  registerType,
  release,
  retain,
} from '../heap/index.js'
import { showOnce } from '../showing.js'
import { byType, cacheOf, checkedOptions, checkedType, defineContainer, linkedAddress } from './container.js'
import { CAPACITY, CELL_BYTES, HEAD, makeQueue, QUEUE_BYTES, type Request, RING, TAIL } from './queue-core.js'
import { type Offer, offer, snapshot, type Wish, wish } from './queue-elements.js'
import {
  type SharedQueue as Queue,
  QueueClosedError,
  type SharedQueueConstructor,
  type SharedQueueOptions,
} from './queue-types.js'
import { INSPECT } from './show.js'

/** Where the queue's words are in the object. */
const QUEUE = HEADER_BYTES
const NAME = QUEUE + QUEUE_BYTES
const BYTES = NAME + 4

const MAX_CAPACITY = 2 ** 24
const EXAMPLE = "new SharedQueue({ of: 'json', capacity: 1024 })"

const core = makeQueue(waiting, { enter: enterHeap, leave: leaveHeap })
const typeOf = byType('SharedQueue', cellTypeNamed)

const QueueClass = class SharedQueue<V, Out> {
  constructor(options: SharedQueueOptions) {
    const { of, capacity, name = '' } = checkedOptions<SharedQueueOptions>(options, EXAMPLE)
    const type = checkedType(of, 'The element of a SharedQueue')
    if (!Number.isInteger(capacity) || capacity < 1 || capacity > MAX_CAPACITY) {
      throw new RangeError(
        `The capacity of a SharedQueue is an integer of 1 to ${MAX_CAPACITY}, not ${String(capacity)}: ${EXAMPLE}.`,
      )
    }
    if (typeof name !== 'string') throw new TypeError(`The name of a SharedQueue is a string, not ${String(name)}.`)
    makeEmpty(this, type, capacity, name)
  }

  get name(): string {
    const address = linkedAddress(this, 'SharedQueue')
    return stringCell.readCached!(address + NAME, cacheOf(this), 0)
  }

  get capacity(): number {
    return i32[(linkedAddress(this, 'SharedQueue') + QUEUE + CAPACITY) >> 2]!
  }

  get size(): number {
    return core.size(queueOf(this))
  }

  get isClosed(): boolean {
    return core.isClosed(queueOf(this))
  }

  async put(value: V, options: AwaitOptions = {}): Promise<void> {
    checkAwaitOptions(options)
    const offered = offerTo(this, value, 'put')
    try {
      await moved(this, offered, () => `room in ${describe(this)}`, options)
    } finally {
      offered.end()
    }
    checkOpen(this, offered)
  }

  putSync(value: V, options?: Pick<AwaitOptions, 'timeout'>): void {
    const timeout = blockingTimeout(options)
    const offered = offerTo(this, value, 'putSync')
    try {
      core.waitSync(queueOf(this), offered, {
        timeout,
        what: () => `room in ${describe(this)}`,
        instead: 'await it, by put()',
      })
    } finally {
      offered.end()
    }
    checkOpen(this, offered)
  }

  tryPut(value: V): boolean {
    const offered = offerTo(this, value, 'tryPut')
    try {
      core.tryNow(queueOf(this), offered)
    } finally {
      offered.end()
    }
    checkOpen(this, offered)
    return offered.outcome === 'moved'
  }

  async take(options: AwaitOptions = {}): Promise<Out | undefined> {
    checkAwaitOptions(options)
    const wanted = wishOf(this)
    try {
      await moved(this, wanted, () => `an element of ${describe(this)}`, options)
    } catch (error) {
      wanted.end()
      throw error
    }
    return taken(wanted)
  }

  takeSync(options?: Pick<AwaitOptions, 'timeout'>): Out | undefined {
    const timeout = blockingTimeout(options)
    const wanted = wishOf(this)
    try {
      core.waitSync(queueOf(this), wanted, {
        timeout,
        what: () => `an element of ${describe(this)}`,
        instead: 'await it, by take()',
      })
    } catch (error) {
      wanted.end()
      throw error
    }
    return taken(wanted)
  }

  tryTake(): Out | undefined {
    const wanted = wishOf(this)
    core.tryNow(queueOf(this), wanted)
    return taken(wanted)
  }

  drain(most = Infinity): Out[] {
    if (typeof most !== 'number' || !(most >= 0)) {
      throw new RangeError(`SharedQueue.drain takes how many elements at most, 0 or more, not ${String(most)}.`)
    }
    const elements: Out[] = []
    while (elements.length < most) {
      const element = this.tryTake()
      if (element === undefined) break
      elements.push(element)
    }
    return elements
  }

  close(): void {
    core.close(queueOf(this))
  }

  [Symbol.iterator](): IterableIterator<Out> {
    return this.toJSON()[Symbol.iterator]()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Out, void, undefined> {
    for (;;) {
      const element = await this.take()
      if (element === undefined) return
      yield element
    }
  }

  toJSON(): Out[] {
    const queue = queueOf(this)
    return snapshot(typeOf(queue - QUEUE), (visit) => core.each(queue, visit)) as Out[]
  }

  [INSPECT](depth: number, options: object, inspect: (x: unknown, options: object) => string): string {
    if (depth < 0) return '[SharedQueue]'
    const elements = this.toJSON()
    const name = this.name && ` "${this.name}"`
    const text = showOnce(this, () => inspect(elements, { ...options, depth }))
    return `SharedQueue(${elements.length} of ${this.capacity})${name} ${text}`
  }

  get [Symbol.toStringTag](): string {
    return 'SharedQueue'
  }
}

export type SharedQueue<V, Out = DeepReadonly<V>> = Queue<V, Out>
export const SharedQueue = QueueClass as unknown as SharedQueueConstructor

defineContainer(SharedQueue, {
  // Waiting is its own, and so is what keeps others off: see `queue-core.ts`.
  unlocked: Reflect.ownKeys(QueueClass.prototype),
  owned,
  mend: () => {},
})
synchronousOnly(QueueClass, [
  ['tryPut', 'put(value, { timeout: 0 })'],
  ['putSync', 'put(value)'],
  ['tryTake', 'take({ timeout: 0 })'],
  ['takeSync', 'take()'],
])

function makeEmpty(object: object, type: CellType, capacity: number, name: string): void {
  const layout = JSON.stringify([type.name])
  const values = [NAME]
  const kind = 'SharedQueue'
  const typeId = registerType({ kind, name: kind, layout, module: '', bytes: BYTES, refs: [], values, readers: [] })
  const queue = makeBlock(object, typeId) + QUEUE
  try {
    makeRing(queue, capacity, type.bytes)
    if (name !== '') stringCell.write(queue - QUEUE + NAME, name)
  } catch (error) {
    dropHandle(object)
    throw error
  }
}

function makeRing(queue: number, capacity: number, cellBytes: number): void {
  const make = () => {
    enterHeap()
    try {
      i32[(queue + RING) >> 2] = allocateValue(capacity * cellBytes)
    } finally {
      leaveHeap()
    }
  }
  try {
    make()
  } catch (error) {
    if (!(error instanceof HeapFullError)) throw error
    collectGarbage()
    make()
  }
  i32[(queue + CAPACITY) >> 2] = capacity
  i32[(queue + CELL_BYTES) >> 2] = cellBytes
}

/** What a queue at an address owns beside its name. */
function owned(address: number, visit: OwnedVisitor): void {
  const word = (offset: number) => i32[(address + QUEUE + offset) >> 2]!
  const ring = word(RING)
  if (ring === 0) return
  const type = typeOf(address)
  const capacity = word(CAPACITY)
  const bytes = word(CELL_BYTES)
  if (type.owns !== 'nothing') {
    reach(ring + capacity * bytes)
    for (let at = word(HEAD); at !== word(TAIL); at = at + 1 === 2 * capacity ? 0 : at + 1) {
      const content = i32[(ring + (at % capacity) * bytes) >> 2]!
      if (content !== 0) visit[type.owns](content)
    }
  }
  visit.value(ring)
}

function queueOf(object: object): number {
  return linkedAddress(object, 'SharedQueue') + QUEUE
}

function describe(object: object): string {
  const address = addressOf(object)
  if (address <= 0) return 'queue, which was disposed of on this thread'
  const { name } = object as Queue<unknown>
  return `queue ${name ? `"${name}"` : `#${address >> 4}`}`
}

function offerTo(object: object, value: unknown, member: string): Offer {
  const type = typeOf(linkedAddress(object, 'SharedQueue'))
  const where = `The element of SharedQueue.${member}`
  if (value === undefined) {
    throw new TypeError(`${where} can't be undefined: that is what a taker gets when a closed queue is empty.`)
  }
  return offer(type, value, where)
}

function wishOf(object: object): Wish {
  return wish(typeOf(linkedAddress(object, 'SharedQueue')))
}

/** What was taken, if anything was. */
function taken<Out>(wanted: Wish): Out | undefined {
  if (wanted.outcome === 'moved') return wanted.value() as Out
  wanted.end()
  return undefined
}

function checkOpen(object: object, { outcome }: Offer): void {
  if (outcome !== 'closed') return
  throw new QueueClosedError(`The ${describe(object)} is closed: nothing more can be put into it.`)
}

/** Waits until an element was moved, or can't be any more. */
async function moved(object: object, request: Request, what: () => string, options: AwaitOptions): Promise<void> {
  const queue = queueOf(object)
  if (core.tryNow(queue, request) !== undefined) return
  const { timeout, signal } = options
  let forget = () => {}
  // Whoever disposes of the handle meanwhile doesn't end the wait.
  hold(queue - QUEUE, retain)
  try {
    await awaitGrant<number>({
      timeout,
      signal,
      enqueue(waiter) {
        const queued = core.enqueue(queue, request, waiter)
        forget = queued.forget
        return queued.node
      },
      timedOut: (ms) => waiting.timedOut(what(), ms, []),
    })
  } finally {
    forget()
    hold(queue - QUEUE, release)
  }
}

function hold(address: number, change: (address: number) => void): void {
  enterHeap()
  try {
    change(address)
  } finally {
    leaveHeap()
  }
}
