/**
 * A source of another thread, as this one has it: what is raised and advised here goes to its home, in order, by shared
 * memory (`shared-inbox.ts`), before `raise` or `advise` has returned.
 *
 * Sinks that are advised here run where they would have run at the source's home; those of this thread are known to the
 * home by a number alone.
 */
import { CannotBlockError, currentThread, DeadlockError, DisconnectedError, FlatshareError } from '@flatshare/core'
import {
  freeValue,
  isAlive,
  onThreadExitInternal,
  ownThreadId,
  park,
  type ThreadId,
  threadName,
  timeoutError,
  waitAsync,
  waitsForThis,
  writeValue,
} from '@flatshare/core/internal'
import { checkAdviseOptions, checkEvent, checkedMask, checkedWaiting, LIMIT } from './checked.js'
import { AdviseConnection } from './connection.js'
import { refuseInsideSink } from './deliveries.js'
import { inbox } from './inbox.js'
import type {
  AdviseOptions,
  AdviseSinkOrFunction,
  RaiseAndWaitOptions,
  RaiseOptions,
  RaiseOutcome,
} from './notification.js'
import { FarSubscription } from './numbered-place.js'
import { placeOf } from './places.js'
import { callReceiver } from './receiver.js'
import { requireSink } from './sinks.js'
import {
  ADVISE,
  type FarRequest,
  type InboxRecord,
  RAISE,
  type Source,
  type SourceDescription,
  targetOf,
  UNADVISE,
} from './source.js'

/** Milliseconds that this thread blocks for a home that doesn't look at its inbox. */
const LONGEST_BLOCK = 30_000
/** So many may be told of room, on all threads, before one of them raises. */
const SPARE = 1_024
/** Milliseconds between two looks whether it lives. */
const LOOK = 100

let lastNumber = 0
const ofHomes = new Map<ThreadId, Set<FarSubscription>>()

onThreadExitInternal(({ id, name }) => {
  const subscriptions = ofHomes.get(id)
  ofHomes.delete(id)
  const message = `The source's thread "${name}" has ended: nothing is raised any more.`
  for (const subscription of subscriptions ?? []) subscription.lose(new DisconnectedError(message))
})

export class FarSource implements Source {
  readonly #home: ThreadId
  readonly #inbox: number
  readonly #description: SourceDescription

  constructor(home: ThreadId, address: number, description: SourceDescription) {
    this.#home = home
    this.#inbox = address
    this.#description = description
  }

  get connections(): number {
    return isAlive(this.#home) ? inbox.advised(this.#inbox) : 0
  }

  advise(mask: unknown, sink: AdviseSinkOrFunction, options: AdviseOptions): AdviseConnection {
    const events = checkedMask(mask, this.#description.events)
    requireSink(sink)
    checkAdviseOptions(options)
    if (!isAlive(this.#home)) throw this.#ended('advise')
    const { target, queue: { limit, policy, key } = {}, signal, onError } = options
    const thread = ownThreadId()
    const number = ++lastNumber
    const abort = () => subscription.end()
    const ofHome = this.#subscriptions()
    const onEnd = () => {
      signal?.removeEventListener('abort', abort)
      ofHome.delete(subscription)
      if (!isAlive(this.#home)) return
      this.#push([UNADVISE, thread, number])
      // Last: where this thread dies before, the count is too high, which does no harm.
      inbox.addAdvised(this.#inbox, -1)
    }
    const subscription: FarSubscription = new FarSubscription(number, events, placeOf(sink), key, onError, onEnd)
    const request: FarRequest = {
      thread,
      number,
      events: events === this.#description.events ? '*' : [...events],
      ...(target !== undefined && { target }),
      ...(limit !== undefined && { limit }),
      ...(policy !== undefined && { policy }),
      hasKey: key !== undefined,
    }
    const value = this.#write([ADVISE, request], 'advise: its target')
    inbox.addAdvised(this.#inbox, 1)
    ofHome.add(subscription)
    signal?.addEventListener('abort', abort, { once: true })
    inbox.push(this.#inbox, value)
    return new AdviseConnection(subscription)
  }

  #subscriptions(): Set<FarSubscription> {
    let known = ofHomes.get(this.#home)
    if (!known) ofHomes.set(this.#home, (known = new Set()))
    return known
  }

  raise(event: string, payload: unknown, options: RaiseOptions): void {
    checkEvent(event, this.#description.events)
    // Nobody is there to hear of it, or to bring it to anybody.
    if (inbox.advised(this.#inbox) <= 0 || !isAlive(this.#home)) return
    const target = targetOf(this.#description, options)
    const value = this.#write([RAISE, event, payload, target], `raise("${event}"): the payload`)
    try {
      if (inbox.waiting(this.#inbox) >= LIMIT) this.#waitForRoom()
    } catch (error) {
      freeValue(value, { unread: true })
      throw error
    }
    inbox.push(this.#inbox, value)
  }

  async raiseAndWait(event: string, payload: unknown, options: RaiseAndWaitOptions): Promise<RaiseOutcome> {
    checkEvent(event, this.#description.events)
    checkedWaiting(options)
    refuseInsideSink(event, ownThreadId())
    if (!isAlive(this.#home)) return { notified: 0, stopped: false }
    const { signal, ...rest } = options
    const far = { ...rest, ...(signal && { signal }) }
    return (await callReceiver(this.#home, 'raiseAndWait', [this.#inbox, event, payload, far])) as RaiseOutcome
  }

  async room(): Promise<void> {
    for (;;) {
      const waiting = inbox.waiting(this.#inbox)
      if (waiting < LIMIT - SPARE || !isAlive(this.#home)) return
      await waitAsync(inbox.waitingWord(this.#inbox), waiting)
    }
  }

  #push(record: InboxRecord): void {
    inbox.push(this.#inbox, writeValue(record, { to: this.#home }).address)
  }

  /** @throws FlatshareError for what has no bytes. */
  #write(record: InboxRecord, what: string): number {
    try {
      return writeValue(record, { to: this.#home }).address
    } catch (error) {
      throw new FlatshareError(
        `${what} can't go to the source's thread, "${threadName(this.#home)}", by shared memory: functions and objects that ` +
          'live on one thread can be raised on the thread that made the source only.',
        { cause: error },
      )
    }
  }

  /** Blocks until the home has carried out some of what waits. */
  #waitForRoom(): void {
    const what = `room in a source of "${threadName(this.#home)}"`
    if (!currentThread.canBlock) {
      throw new CannotBlockError(
        `${LIMIT} events wait for the source's thread, "${threadName(this.#home)}", and the thread ` +
          `"${currentThread.name}" may not block for ${what}. Instead: await source.room() before each raise.`,
      )
    }
    const worthwhile = () => {
      if (waitsForThis(this.#home)) throw this.#deadlock()
      return true
    }
    const end = Date.now() + LONGEST_BLOCK
    for (;;) {
      const waiting = inbox.waiting(this.#inbox)
      if (waiting < LIMIT || !isAlive(this.#home)) return
      if (Date.now() >= end) {
        throw timeoutError(
          `Waited ${LONGEST_BLOCK} ms for ${what}, which has not looked at its ${LIMIT} events. It may be blocked, or ` +
            'wait for this thread. Instead: await source.room() before each raise.',
        )
      }
      park(inbox.waitingWord(this.#inbox), waiting, LOOK, { what, worthwhile })
    }
  }

  #deadlock(): DeadlockError {
    const [own, home] = [currentThread.name, threadName(this.#home)]
    return new DeadlockError(
      `The thread "${own}" waits for room in a source of "${home}", and that is blocked by a call to "${own}": it looks at ` +
        `none of its ${LIMIT} events. Nothing was raised. Instead: await source.room() before each raise.`,
    )
  }

  #ended(member: string): DisconnectedError {
    return new DisconnectedError(
      `${member}: the thread "${threadName(this.#home)}" has ended, which made the source and kept its connections. ` +
        'Make sources on a thread that stays.',
    )
  }
}
