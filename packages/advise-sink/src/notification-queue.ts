/**
 * What waits for one sink, in the order of raising.
 *
 *   drop-oldest   beyond the limit the oldest goes, and is counted
 *   coalesce      of those with one key the last one stays; beyond the limit as above
 *   block         the source asks `isFull` before it raises
 *
 * A *turn* is an event of `raiseAndWait`: it is delivered by itself, when it is allowed to; it counts for no limit, is never
 * dropped, and nothing overtakes it.
 *
 * Events of a run stand in one place together; not where they are coalesced. The part of a run at the end may *grow* with it,
 * so that a flood needs no push for each event and sink. Whatever comes behind that part closes the run.
 *
 * Places are numbered from the first one ever; one that was emptied (dropped, coalesced, given up) holds undefined until
 * it comes to the front.
 */
import { isThenable, type Raised, type RaisedEvent, type RaisedRun, RunPart } from '@flatshare/core/internal'
import { LIMIT } from './checked.js'
import type { QueueOptions } from './notification.js'

/** An event that somebody waits for. */
export interface Turn {
  readonly raised: RaisedEvent
  /** Whether those before it in other queues have been delivered. */
  isAllowed: boolean
  /** How many were dropped behind it, up to the next one that is delivered. */
  droppedAfter: number
}

type Item = RaisedEvent | RunPart | Turn

const isTurn = (item: Item): item is Turn => 'isAllowed' in item

/** What is to be delivered next. */
export type Next =
  | { readonly events: Raised; readonly dropped: number }
  | { readonly turn: Turn; readonly dropped: number }
  | undefined

/** Maps take -0 and 0 for one key. */
const MINUS_ZERO = Symbol('-0')

/** So many are delivered at once. */
const BATCH = 4_096

export class NotificationQueue {
  readonly #limit: number
  readonly #policy: NonNullable<QueueOptions['policy']>
  readonly #key: QueueOptions['key']
  readonly #onError: (error: unknown) => void
  #items: Array<Item | undefined> = []
  /** Index of the front. */
  #first = 0
  /** The place of the first item in the array. */
  #base = 0
  /** The place behind what is marked, and where the run ended whose part stands before that. */
  #marked = 0
  #markedTo = 0
  /** Events that wait. */
  #size = 0
  #dropped = 0
  /** The part at the end, while it grows with its run: how far is only known after `#catchUp`. */
  #growing: RunPart | undefined
  /** By key: the place of the one that waits. */
  readonly #places = new Map<unknown, number>()

  /** @param onError hears what a key throws. */
  constructor({ limit = LIMIT, policy = 'drop-oldest', key }: QueueOptions, onError: (error: unknown) => void) {
    this.#limit = limit
    this.#policy = policy
    this.#key = key
    this.#onError = onError
  }

  /** Whether batches may be on their way while the sink is busy: what is, isn't dropped or coalesced any more. */
  get sendsAhead(): boolean {
    return this.#policy !== 'coalesce' && this.#limit >= 4 * BATCH
  }

  get isEmpty(): boolean {
    return this.#items.length === this.#first
  }

  /** The place behind the last one that waits. */
  get end(): number {
    return this.#base + this.#items.length
  }

  /** Whether something waits in front of a place. */
  isBefore(place: number): boolean {
    return !this.isEmpty && this.#base + this.#first < place
  }

  /** How many events wait. */
  get size(): number {
    this.#catchUp()
    return this.#size
  }

  get blocksSource(): boolean {
    return this.#policy === 'block'
  }

  /** Whether one more must wait for room. */
  get isFull(): boolean {
    return !this.hasRoom(1)
  }

  /** Whether so many more needn't wait. */
  hasRoom(count: number): boolean {
    return this.#policy !== 'block' || this.#size + count <= this.#limit
  }

  push(raised: RaisedEvent): void {
    this.#stopGrowing()
    this.#items.push(raised)
    this.#size++
    if (this.#policy === 'coalesce') this.#coalesce(raised)
    if (this.#size > this.#limit && this.#policy !== 'block') this.#dropOldest()
  }

  /** Whether events may stand together. */
  get takesRuns(): boolean {
    return this.#policy !== 'coalesce'
  }

  /** The last event of a run waits, too. */
  pushLast(run: RaisedRun): void {
    if (this.#growing?.run === run) return
    this.#stopGrowing()
    const items = this.#items
    const end = items.length > this.#first ? items[items.length - 1] : undefined
    const { length } = run
    if (end instanceof RunPart && end.run === run && end.to === length - 1) end.to = length
    else items.push(new RunPart(run, length - 1, length))
    this.#size++
    if (this.#size > this.#limit && this.#policy !== 'block') this.#dropOldest()
  }

  /**
   * From now on the events of a run wait here without being pushed, until it is closed; false where it isn't at the end, or
   * one of them might be too many.
   */
  follow(run: RaisedRun): boolean {
    if (this.#growing?.run === run) return true
    const end = this.#items[this.#items.length - 1]
    if (this.#policy !== 'drop-oldest' || this.#size + run.room > this.#limit) return false
    if (run.isClosed || !(end instanceof RunPart) || end.run !== run || end.to !== run.length) return false
    this.#growing = end
    return true
  }

  #catchUp(): void {
    const part = this.#growing
    if (part === undefined) return
    const { length } = part.run
    this.#size += length - part.to
    part.to = length
    if (part.run.isClosed) this.#growing = undefined
  }

  #stopGrowing(): void {
    if (this.#growing === undefined) return
    this.#growing.run.close()
    this.#catchUp()
  }

  pushTurn(turn: Turn): void {
    this.#stopGrowing()
    this.#items.push(turn)
  }

  /** Takes a turn out, wherever it stands. */
  giveUp(turn: Turn): void {
    const index = this.#items.indexOf(turn, this.#first)
    if (index < 0) return
    this.#items[index] = undefined
    this.#noteDropped(this.#turnBefore(index), turn.droppedAfter)
    this.#trim()
  }

  clear(): void {
    this.#base += this.#items.length
    this.#items = []
    this.#first = this.#size = this.#dropped = 0
    this.#growing = undefined
    this.#places.clear()
  }

  /** What waits now is marked, and nothing that comes later. */
  mark(): void {
    this.#catchUp()
    this.#marked = this.end
    const last = this.#items[this.#items.length - 1]
    this.#markedTo = last instanceof RunPart ? last.to : 0
  }

  /** Whether the front is marked: all of it, as a part of a run may have grown. */
  #isMarked(front: Item): boolean {
    const after = this.#base + this.#first + 1
    return (
      after < this.#marked || (after === this.#marked && (!(front instanceof RunPart) || front.to === this.#markedTo))
    )
  }

  /**
   * Takes what is to be delivered next; undefined where there is nothing, or a turn that isn't allowed yet is in front.
   *
   * @param marked whether only what is marked may be taken.
   */
  take(marked = false): Next {
    this.#catchUp()
    const front = this.#items[this.#first]
    if (front === undefined || (marked && !this.#isMarked(front))) return undefined
    if (isTurn(front)) {
      if (!front.isAllowed) return undefined
      this.#first++
      const dropped = this.#dropped
      this.#dropped = front.droppedAfter
      this.#trim()
      return { turn: front, dropped }
    }
    const events = front instanceof RunPart ? this.#takePart(front) : this.#takeEvents(marked ? this.#marked : this.end)
    this.#size -= events.length
    const dropped = this.#dropped
    this.#dropped = 0
    this.#trim()
    return { events, dropped }
  }

  #takePart(part: RunPart): RunPart {
    this.#first++
    part.run.close()
    if (part === this.#growing) this.#growing = undefined
    return part
  }

  #takeEvents(until: number): RaisedEvent[] {
    const events: RaisedEvent[] = []
    for (; events.length < BATCH && this.isBefore(until); this.#first++) {
      const item = this.#items[this.#first]
      if (item === undefined) continue
      if (item instanceof RunPart || isTurn(item)) break
      events.push(item)
    }
    return events
  }

  /** Puts back what was taken just now, of a queue whose policy is `'block'`. */
  putBack(events: Raised, dropped: number): void {
    this.#putInFront(events instanceof RunPart ? [events] : events)
    this.#size += events.length
    this.#dropped += dropped
  }

  /** Puts back a turn that was taken just now. */
  putTurnBack(turn: Turn, dropped: number): void {
    this.#putInFront([turn])
    turn.droppedAfter = this.#dropped
    this.#dropped = dropped
  }

  /** What stands in the queue keeps its place. */
  #putInFront(items: readonly Item[]): void {
    this.#base += this.#first - items.length
    this.#items = [...items, ...this.#items.slice(this.#first)]
    this.#first = 0
  }

  #coalesce(raised: RaisedEvent): void {
    const place = this.#base + this.#items.length - 1
    let key: unknown
    try {
      key = this.#key ? this.#key(raised.seen as never) : raised.event
    } catch (error) {
      this.#onError(error)
      return
    }
    if (!isThenable(key)) this.#setKey(key, place)
    else key.then((later) => this.#setKey(later, place), this.#onError)
  }

  /** The key of what stands, or stood, at a place is known. */
  #setKey(given: unknown, place: number): void {
    const key = Object.is(given, -0) ? MINUS_ZERO : given
    if (this.#at(place) === undefined) return
    const other = this.#places.get(key)
    if (other !== undefined && this.#at(other) !== undefined) {
      // Keys of another thread may come in any order.
      this.#empty(Math.min(other, place))
      this.#places.set(key, Math.max(other, place))
      this.#trim()
    } else this.#places.set(key, place)
    // Most of them have been taken long ago.
    if (this.#places.size > 2 * this.#limit) this.#forgetTaken()
  }

  #at(place: number): Item | undefined {
    const index = place - this.#base
    return index < this.#first ? undefined : this.#items[index]
  }

  #empty(place: number): void {
    this.#items[place - this.#base] = undefined
    this.#size--
  }

  #forgetTaken(): void {
    for (const [key, place] of this.#places) if (this.#at(place) === undefined) this.#places.delete(key)
  }

  #dropOldest(): void {
    let index = this.#first
    for (; ; index++) {
      const item = this.#items[index]
      if (item !== undefined && !isTurn(item)) break
    }
    const oldest = this.#items[index]
    if (oldest instanceof RunPart && oldest.length > 1) oldest.from++
    else this.#items[index] = undefined
    this.#size--
    this.#noteDropped(this.#turnBefore(index), 1)
    this.#trim()
  }

  /** The next one that is delivered after the turn, or of all, will tell of them. */
  #noteDropped(turn: Turn | undefined, count: number): void {
    if (turn) turn.droppedAfter += count
    else this.#dropped += count
  }

  /** The last turn in front of an item. */
  #turnBefore(index: number): Turn | undefined {
    for (let i = index - 1; i >= this.#first; i--) {
      const item = this.#items[i]
      if (item !== undefined && isTurn(item)) return item
    }
    return undefined
  }

  /** Passes emptied places at the front, and gives their memory back now and then. */
  #trim(): void {
    const items = this.#items
    while (this.#first < items.length && items[this.#first] === undefined) this.#first++
    if (this.#first === items.length) {
      this.#base += this.#first
      this.#items = []
      this.#first = 0
      this.#places.clear()
    } else if (this.#first > 1024 && this.#first * 2 > items.length) {
      this.#base += this.#first
      this.#items = items.slice(this.#first)
      this.#first = 0
    }
  }
}
