/**
 * A source on the thread that made it, its home: here are its subscriptions, and here events get their order.
 *
 * What other threads raise and advise comes by the inbox (`shared-inbox.ts`), and is carried out from the event loop, or
 * before anything that is done here: so an event that was raised there first comes first here.
 *
 * Where a queue whose policy is `'block'` is full, what is in the inbox waits there, until that has room; so those who
 * raise on other threads wait, too, when the inbox is full.
 */
import {
  type EventCount,
  freeValue,
  ownThreadId,
  RaisedEvent,
  type RaisedRun,
  readValue,
  soon,
  threadName,
  warn,
} from '@flatshare/core/internal'
import { checkAdviseOptions, checkEvent, checkedMask } from './checked.js'
import { AdviseConnection } from './connection.js'
import { inbox, openInbox } from './inbox.js'
import type {
  AdviseOptions,
  AdviseSinkOrFunction,
  RaiseAndWaitOptions,
  RaiseOptions,
  RaiseOutcome,
} from './notification.js'
import { NumberedPlace } from './numbered-place.js'
import { type Place, placeOf } from './places.js'
import { raiseTurns } from './raise-turns.js'
import { receive } from './receiver.js'
import { Runs } from './runs.js'
import { requireSink } from './sinks.js'
import {
  ADVISE,
  type FarRequest,
  type InboxRecord,
  RAISE,
  type Source,
  type SourceDescription,
  targetOf,
} from './source.js'
import { Subscription } from './subscription.js'

/** So many records are carried out before the event loop has its turn. */
const A_TURN = 2_048

const sources = new Map<number, HomeSource>()

export class HomeSource implements Source {
  readonly #description: SourceDescription
  readonly #subscriptions = new Set<Subscription>()
  /** Of sinks of other threads that advised by themselves: by thread and number. */
  readonly #numbered = new Map<string, Subscription>()
  readonly #runs = new Runs()
  /** The same, in their order, and what raising must know of them. */
  #sinks: readonly Subscription[] = []
  #takesRuns = false
  #maySourceWait = false
  /** The event raised last, and the sinks that hear of it where it has no target: a flood is mostly of one event. */
  #lastEvent: string | undefined
  #lastSinks: readonly Subscription[] = []
  /** The run that all sinks follow that hear of it: its events need no push. */
  #followed: RaisedRun | undefined
  #followers: readonly Subscription[] = []
  readonly #count: EventCount = { last: 0 }
  #inbox = 0
  /** How many places were promised by `room`. */
  #promised = 0
  /** What was taken from the inbox and is not carried out. */
  #taken: number[] = []
  /** Whether what was taken is to be gone on with: from the event loop, or when there is room. */
  #goesOn = false

  constructor(description: SourceDescription) {
    this.#description = description
  }

  get connections(): number {
    return this.#inbox === 0 ? this.#subscriptions.size : inbox.advised(this.#inbox)
  }

  /** The address of the inbox, made when other threads are to know the source. */
  get inbox(): number {
    if (this.#inbox === 0) {
      this.#inbox = openInbox(() => this.#carryOut())
      inbox.addAdvised(this.#inbox, this.#subscriptions.size)
      sources.set(this.#inbox, this)
    }
    return this.#inbox
  }

  advise(mask: unknown, sink: AdviseSinkOrFunction, options: AdviseOptions): AdviseConnection {
    const events = checkedMask(mask, this.#description.events)
    requireSink(sink)
    checkAdviseOptions(options)
    // What was raised before isn't for this sink.
    if (this.#inbox !== 0) this.#carryOutAll()
    const subscription = this.#subscribe(events, placeOf(sink), options, () => {
      if (this.#inbox !== 0) inbox.addAdvised(this.#inbox, -1)
    })
    if (this.#inbox !== 0) inbox.addAdvised(this.#inbox, 1)
    return new AdviseConnection(subscription)
  }

  #subscribe(events: ReadonlySet<string>, place: Place, options: AdviseOptions, onEnd: () => void): Subscription {
    const subscription: Subscription = new Subscription(events, place, options, () => {
      this.#subscriptions.delete(subscription)
      this.#noteSinks()
      onEnd()
    })
    this.#subscriptions.add(subscription)
    this.#noteSinks()
    return subscription
  }

  #noteSinks(): void {
    const sinks = (this.#sinks = [...this.#subscriptions])
    this.#takesRuns = sinks.every(({ takesRuns }) => takesRuns)
    this.#maySourceWait = sinks.some(({ blocksSource }) => blocksSource)
    this.#lastEvent = undefined
    this.#followed = undefined
  }

  raise(event: string, payload: unknown, options: RaiseOptions): void {
    const run = this.#followed
    if (run !== undefined && event === run.event && this.#inbox === 0 && !('target' in options)) {
      if (this.#addFollowed(run, event, payload)) return
    }
    if (event !== this.#lastEvent) checkEvent(event, this.#description.events)
    if (this.#inbox !== 0) this.#carryOutAll()
    const target = targetOf(this.#description, options)
    if (this.#maySourceWait) this.#makeRoom(event, target)
    if (this.#promised > 0) this.#promised--
    this.#raise(event, payload, target)
  }

  #raise(event: string, payload: unknown, target: unknown): void {
    if (target === undefined && this.#takesRuns && this.#raiseInRun(event, payload)) return
    let raised: RaisedEvent | undefined
    for (const subscription of this.#sinksOf(event, target)) {
      raised ??= new RaisedEvent(event, payload, target, this.#count)
      subscription.push(raised)
    }
    if (raised) this.#runs.passed(raised)
    else this.#count.last++
  }

  /** Those that hear of it. */
  #sinksOf(event: string, target: unknown): readonly Subscription[] {
    if (target !== undefined) return this.#sinks.filter((subscription) => subscription.wants(event, target))
    if (event !== this.#lastEvent) {
      this.#lastSinks = this.#sinks.filter((subscription) => subscription.wants(event, undefined))
      this.#lastEvent = event
    }
    return this.#lastSinks
  }

  /** Raises it together with those before it; false where it is unlike them. */
  #raiseInRun(event: string, payload: unknown): boolean {
    let run: RaisedRun | undefined
    const sinks = this.#sinksOf(event, undefined)
    for (const subscription of sinks) {
      run ??= this.#runs.add(event, payload, this.#count)
      if (!run) return false
      subscription.pushLast(run)
    }
    if (!run) this.#count.last++
    else this.#followWith(sinks, run)
    return true
  }

  /** These sinks have heard of the run's last event. */
  #followWith(sinks: readonly Subscription[], run: RaisedRun): void {
    // Reading that may have changed who is advised.
    if (this.#description.target !== undefined || sinks !== this.#lastSinks || run.event !== this.#lastEvent) return
    if (!sinks.every((sink) => sink.follow(run))) return
    this.#followed = run
    this.#followers = sinks
  }

  /** Raises it in the run that all sinks follow; false where it is unlike that, or the run is closed. */
  #addFollowed(run: RaisedRun, event: string, payload: unknown): boolean {
    const followers = this.#followers
    if (!run.add(event, payload, this.#count)) {
      // Nothing reads the payload in vain once more.
      run.close()
      this.#followed = undefined
      return false
    }
    // Reading it may have raised: then it stands behind that.
    if (run.isClosed) for (const subscription of followers) subscription.pushLast(run)
    return true
  }

  /** @throws CannotBlockError where a sink must have room and this thread can't wait for it. Nothing was raised. */
  #makeRoom(event: string, target: unknown): void {
    for (const subscription of this.#subscriptions) {
      while (subscription.isFull && subscription.wants(event, target)) subscription.makeRoom()
    }
  }

  async raiseAndWait(event: string, payload: unknown, options: RaiseAndWaitOptions): Promise<RaiseOutcome> {
    checkEvent(event, this.#description.events)
    if (this.#inbox !== 0) this.#carryOutAll()
    const target = targetOf(this.#description, options)
    const raised = () => new RaisedEvent(event, payload, target, this.#count)
    return raiseTurns(event, this.#sinksOf(event, target), raised, options)
  }

  /**
   * A place is promised to whoever was told of it, until that one's next microtasks are over; others wait, in the order in
   * which they have asked.
   */
  async room(): Promise<void> {
    for (let full = this.#full; full; full = this.#full) await full.room()
    // In the same step, or the next one finds the same place.
    if (this.#maySourceWait && ++this.#promised === 1) soon(() => this.#forgetPromises())
  }

  /** One without room for an event more than are promised. */
  get #full(): Subscription | undefined {
    if (!this.#maySourceWait) return undefined
    for (const subscription of this.#subscriptions) if (!subscription.hasRoom(this.#promised + 1)) return subscription
    return undefined
  }

  #forgetPromises(): void {
    this.#promised = 0
    for (const subscription of this.#subscriptions) subscription.lookForRoom()
  }

  // ── what comes from other threads ─────────────────────────────────────────────────────────

  /** Carries out what has come, some of it in this turn of the event loop, as far as there is room. */
  #carryOut(): void {
    if (this.#inbox === 0 || this.#goesOn) return
    this.#takeAll()
    const most = Math.min(this.#taken.length, A_TURN)
    let done = 0
    for (; done < most && !this.#full; done++) this.#carryOutOne(this.#taken[done]!)
    this.#forget(done)
    if (this.#taken.length === 0) return
    this.#goesOn = true
    const goOn = () => {
      this.#goesOn = false
      this.#carryOut()
    }
    const full = done < most ? this.#full : undefined
    if (full) void full.room().then(goOn)
    else soon(goOn)
  }

  /** Carries out all that has come: this thread waits for room where there is none. */
  #carryOutAll(): void {
    this.#takeAll()
    let done = 0
    try {
      for (; done < this.#taken.length; done++) {
        for (const subscription of this.#subscriptions) while (subscription.isFull) subscription.makeRoom()
        this.#carryOutOne(this.#taken[done]!)
      }
    } finally {
      this.#forget(done)
    }
  }

  #takeAll(): void {
    if (!inbox.isEmpty(this.#inbox)) this.#taken = this.#taken.concat(inbox.take(this.#inbox))
  }

  #forget(done: number): void {
    if (done === 0) return
    this.#taken = this.#taken.slice(done)
    inbox.carriedOut(this.#inbox, done)
  }

  #carryOutOne(address: number): void {
    const record = readRecord(address)
    if (!record) return
    if (record[0] === RAISE) this.#raise(record[1], record[2], record[3])
    else if (record[0] === ADVISE) this.#adviseFar(record[1])
    else this.#unadviseFar(`${record[1]} ${record[2]}`)
  }

  #unadviseFar(name: string): void {
    const subscription = this.#numbered.get(name)
    this.#numbered.delete(name)
    subscription?.end()
  }

  #adviseFar({ thread, number, events, target, limit, policy, hasKey }: FarRequest): void {
    const { events: known } = this.#description
    const place = new NumberedPlace(thread, number)
    const queue = {
      ...(limit !== undefined && { limit }),
      ...(policy !== undefined && { policy }),
      ...(hasKey && { key: (notification: object) => place.keyOf(notification) }),
    }
    const name = `${thread} ${number}`
    const options: AdviseOptions = { target, queue, onError: (error) => place.failed(error) }
    const wanted = events === '*' ? known : new Set(events)
    const onEnd = () => {
      // A thread that unadvises counts that itself; one that has died can't.
      if (this.#numbered.delete(name)) inbox.addAdvised(this.#inbox, -1)
    }
    this.#numbered.set(name, this.#subscribe(wanted, place, options, onEnd))
  }
}

/** What was put into an inbox; undefined, and a warning, where this thread can't read it. */
function readRecord(address: number): InboxRecord | undefined {
  try {
    return readValue(address) as InboxRecord
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error)
    warn(`An event of another thread was lost, because "${threadName(ownThreadId())}" can't read it: ${text}`, text)
    return undefined
  } finally {
    freeValue(address)
  }
}

/** The source of this thread with that inbox. */
function sourceAt(block: number): HomeSource {
  const source = sources.get(block)
  if (!source) throw new Error(`The thread ${ownThreadId()} has no source with the inbox ${block}.`)
  return source
}

receive('raiseAndWait', (block: number, event: string, payload: unknown, options: RaiseAndWaitOptions) =>
  sourceAt(block).raiseAndWait(event, payload, options),
)
