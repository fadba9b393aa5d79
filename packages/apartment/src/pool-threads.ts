/**
 * The threads of a pool, and the calls that wait for them.
 *
 * A call takes a *place* on a thread; each has as many as its `concurrency`. Where none is free the call waits, first
 * come first served, and another thread is started while there are fewer than `max`.
 *
 *   starting → ready      it serves, and has its replicas
 *   starting → (failed)   its module or a replica's constructor threw: calls that wait reject if no thread is left
 *   ready    → leaving    idle for long, and above `min`: it is asked whether anybody holds anything of it
 *   leaving  → ready      somebody does, or a call waits
 *   leaving  → (closed)
 *   ready    → (ended)    its calls reject; another one is started for those that wait, or to keep `min`
 *
 * Invariants: a call that waits was not sent, so it survives the end of any thread; a call from inside a call of the
 * pool's never waits for a place that its own chain occupies, nor does one from inside the work at an item: where no
 * other thread is free it goes to that one.
 */
import { DisconnectedError, FlatshareError } from '@flatshare/core'
import {
  causality,
  currentFrame,
  holdsInFrame,
  makerOf,
  runInFrame,
  startTimer,
  trackAcrossAwait,
} from '@flatshare/core/internal'
import type { WorkerSource } from './apartment-options.js'
import type { CallSettings } from './call-settings.js'
import { atCaller, type CallTrace } from './call-trace.js'
import { waitWithin } from './call-wait.js'
import { leastCalled, leastInhabited, type PoolMember } from './pool-member.js'
import type { PoolLimits, PoolOptions } from './pool-options.js'
import { PoolStarts } from './pool-starts.js'
import { QueueFullError } from './queue-full-error.js'

/** A call that waits for a place. */
interface Waiting {
  readonly what: string
  /** It doesn't count for `maxQueue`. */
  readonly patient: boolean
  resolve(member: PoolMember): void
  reject(error: unknown): void
}

/** What is done with a place. */
export interface Job<T> {
  /** What errors call it. */
  readonly what: string
  readonly trace: CallTrace
  readonly settings?: CallSettings | undefined
  /** It limits itself, and may wait however many do. */
  readonly patient?: boolean
  /** It makes an object: it goes where the fewest live, and waits for no place. */
  readonly settles?: boolean
  run(member: PoolMember, settings: CallSettings | undefined): Promise<T>
  /** Resolves when the thread can take a call. */
  asksIdle?(member: PoolMember): Promise<unknown>
}

export class PoolThreads {
  /** Those that take calls. */
  readonly members: PoolMember[] = []
  completed = 0
  running = 0
  /** Those that live, the ones that are about to end included. */
  readonly #living = new Set<PoolMember>()
  readonly #waiting: Waiting[] = []
  readonly #starts: PoolStarts
  #state: 'open' | 'closing' | 'closed' = 'open'
  #whenDone: (() => void) | undefined

  constructor(
    source: WorkerSource,
    options: PoolOptions,
    readonly limits: PoolLimits,
  ) {
    this.#starts = new PoolStarts(
      source,
      options,
      limits,
      (member) => this.#takeIn(member),
      () => this.#startSettled(),
    )
  }

  get queued(): number {
    return this.#waiting.length
  }

  get starting(): number {
    return this.#starts.size
  }

  get state(): 'open' | 'closing' | 'closed' {
    return this.#state
  }

  get replicated(): PoolStarts['replicated'] {
    return this.#starts.replicated
  }

  // ── calls ─────────────────────────────────────────────────────────────────────────────────

  /** Does a job on the least loaded thread, now or when one has a place free. */
  run<T>(job: Job<T>): Promise<T> {
    const { what, trace, settings, patient = false } = job
    const member = this.#state === 'open' ? this.#choose(job) : undefined
    // What a call in flight needs to finish is done while the pool closes, too.
    const here = member ?? (this.#state === 'closed' ? undefined : this.#ownChain())
    if (here) return this.#occupy(here, job, settings)
    const refusal = this.#state === 'open' ? this.#fullness(job) : this.#closedError(what)
    if (refusal) return Promise.reject(atCaller(refusal, trace) as Error)
    const frame = currentFrame() ?? { parent: undefined }
    const waited = waitWithin<PoolMember>(what, settings, (resolve, reject) =>
      this.#wait({ what, patient, resolve, reject }),
    )
    return waited.then(
      ({ value, settings: rest }) => {
        // Its place was taken for this call; it is given again.
        value.running--
        this.running--
        return runInFrame(frame, () =>
          // It had its place in the queue: that the queue is full now is no reason to refuse it.
          value.gone ? this.run({ ...job, settings: rest, patient: true }) : this.#occupy(value, job, rest),
        )
      },
      (error: unknown) => {
        throw atCaller(error, trace) as Error
      },
    )
  }

  /** Runs code that has a thread for itself meanwhile: its calls of the pool's don't wait for that one's place. */
  runLeased<T>(member: PoolMember, work: () => T): T {
    trackAcrossAwait()
    return runInFrame({ parent: currentFrame(), holds: member }, work)
  }

  #choose(job: Job<unknown>): PoolMember | undefined {
    if (job.settles) return leastInhabited(this.members.filter(({ leaving, gone }) => !leaving && !gone))
    return this.#waiting.length === 0 ? leastCalled(this.#free()) : undefined
  }

  /** Threads with a place free. */
  #free(): PoolMember[] {
    return this.members.filter(({ running, leaving, gone }) => running < this.limits.concurrency && !leaving && !gone)
  }

  /** The thread on which the running code's own chain of calls already is, or that it has for a while. */
  #ownChain(): PoolMember | undefined {
    const leased = this.members.find((member) => holdsInFrame(member) && !member.gone)
    if (leased) return leased
    const path = causality()
    for (let i = path.length - 1; i >= 0; i--) {
      const maker = makerOf(path[i]!)
      const member = this.members.find(({ thread, gone }) => thread.id === maker && !gone)
      if (member) return member
    }
    return undefined
  }

  /** Why a call may not wait. */
  #fullness({ what, patient }: Job<unknown>): QueueFullError | undefined {
    const { name, max, maxQueue, concurrency } = this.limits
    const threads = this.members.length
    // Places that are about to be there don't count as waiting.
    const starts = this.#starts.mayStart(threads) ? max - threads : this.#starts.size
    const places = starts * concurrency
    if (patient || this.#waiting.length < maxQueue + places) return undefined
    const starting = places > 0 ? `waiting for threads that start: ${places}, ` : ''
    const patients = this.#waiting.filter((waiting) => waiting.patient).length
    const waiting = `waiting: ${this.#waiting.length - places}${patients > 0 ? `, ${patients} of map included` : ''}`
    return new QueueFullError(
      `${what}: the pool "${name}" is full (running: ${this.running}, ${starting}${waiting}, maxQueue: ${maxQueue}); ` +
        'the call was not made.',
    )
  }

  #wait(waiting: Waiting): () => void {
    this.#waiting.push(waiting)
    this.#grow()
    return () => {
      const at = this.#waiting.indexOf(waiting)
      if (at >= 0) this.#waiting.splice(at, 1)
      this.#checkDone()
    }
  }

  #occupy<T>(member: PoolMember, job: Job<T>, settings: CallSettings | undefined): Promise<T> {
    this.#take(member)
    const result = job.run(member, settings)
    void result.then(
      () => this.#leave(member),
      (error: unknown) => {
        if (!job.asksIdle || !wasGivenUp(error, settings) || member.gone) this.#leave(member)
        else void hasEnded(job, member).then(() => this.#leave(member))
      },
    )
    return result
  }

  #take(member: PoolMember): void {
    member.stopIdling?.()
    member.stopIdling = undefined
    member.running++
    member.given++
    this.running++
  }

  #leave(member: PoolMember): void {
    member.running--
    this.running--
    this.completed++
    this.#starts.fruitful()
    this.#serveWaiting()
  }

  #serveWaiting(): void {
    while (this.#waiting.length > 0) {
      const member = leastCalled(this.#free())
      if (!member) break
      this.#take(member)
      this.#waiting.shift()!.resolve(member)
    }
    if (this.#waiting.length > 0) this.#grow()
    for (const member of this.members) this.#restLater(member)
    this.#checkDone()
  }

  // ── threads ───────────────────────────────────────────────────────────────────────────────

  /**
   * Resolves when the pool has its least number of threads, one at least.
   *
   * @throws what kept the last of them from starting, where there is none.
   */
  async begin(): Promise<void> {
    if (this.#state !== 'open') throw this.#closedError('starting a thread')
    this.#starts.fruitful()
    while (this.members.length + this.starting < Math.max(1, this.limits.min)) this.#starts.start()
    await this.#starts.settled()
    if (this.members.length === 0) throw this.#starts.error()
  }

  /** Starts one thread more where there may be one, and resolves when none is being started any more. */
  async growByOne(): Promise<void> {
    if (this.#state === 'open' && this.#starts.mayStart(this.members.length)) this.#starts.start()
    await this.#starts.settled()
  }

  /** Starts threads for the calls that wait, and to keep `min`. */
  #grow(): void {
    const { concurrency, min } = this.limits
    while (this.#state !== 'closed' && this.#starts.mayStart(this.members.length)) {
      const wanted = this.#waiting.length > this.starting * concurrency
      const tooFew = this.#state === 'open' && !this.#starts.isBarren && this.members.length + this.starting < min
      if (!wanted && !tooFew) return
      this.#starts.start()
    }
  }

  #takeIn(member: PoolMember): void {
    this.members.push(member)
    this.#living.add(member)
    member.thread.peer.onGone(() => this.#gone(member))
  }

  #startSettled(): void {
    if (this.members.length === 0 && this.starting === 0) this.#rejectWaiting(() => this.#starts.error())
    this.#serveWaiting()
  }

  #gone(member: PoolMember): void {
    this.#living.delete(member)
    member.stopIdling?.()
    const at = this.members.indexOf(member)
    if (at < 0) return
    this.members.splice(at, 1)
    if (member.given === 0) {
      this.#starts.fruitless(new FlatshareError(`The thread "${member.thread.name}" ended before it was given a call.`))
    }
    this.#grow()
    this.#checkDone()
  }

  /** Once a thread has been idle for long, and isn't needed for `min`, it ends, unless somebody holds what lives there. */
  #restLater(member: PoolMember): void {
    if (member.running > 0 || member.stopIdling || member.leaving || this.members.length <= this.limits.min) return
    member.stopIdling = startTimer(
      this.limits.idleTimeout,
      () => {
        member.stopIdling = undefined
        void this.#rest(member)
      },
      false,
    )
  }

  async #rest(member: PoolMember): Promise<void> {
    if (member.running > 0 || member.gone || this.members.length <= this.limits.min || this.#state !== 'open') return
    member.leaving = true
    const unused = await member.isUnused().catch(() => false)
    member.leaving = false
    const at = this.members.indexOf(member)
    if (at < 0) return
    if (unused && this.#waiting.length === 0 && this.members.length > this.limits.min) {
      this.members.splice(at, 1)
      await member.thread.close(this.limits.idleTimeout)
    } else this.#serveWaiting()
  }

  // ── the end ───────────────────────────────────────────────────────────────────────────────

  /** Takes no calls any more; ends the threads when all calls have ended, or after so many milliseconds. */
  async close(timeout: number): Promise<void> {
    this.#state = 'closing'
    const until = Date.now() + timeout
    let stopTimer = () => {}
    await new Promise<void>((resolve) => {
      stopTimer = startTimer(timeout, resolve)
      this.#whenDone = resolve
      this.#checkDone()
    })
    stopTimer()
    await this.#end((member) => member.thread.close(Math.max(0, until - Date.now())))
  }

  async terminate(): Promise<void> {
    await this.#end((member) => member.thread.terminate())
  }

  async #end(end: (member: PoolMember) => Promise<void>): Promise<void> {
    this.#state = 'closed'
    this.#whenDone?.()
    this.#rejectWaiting((what) => this.#closedError(what))
    this.#starts.stop(this.#closedError('starting a thread'))
    this.members.splice(0)
    for (const member of this.#living) member.stopIdling?.()
    await Promise.all([...[...this.#living].map(end), this.#starts.settled()])
  }

  #checkDone(): void {
    if (this.running === 0 && this.#waiting.length === 0) this.#whenDone?.()
  }

  #rejectWaiting(error: (what: string) => Error): void {
    for (const { what, reject } of this.#waiting.splice(0)) reject(error(what))
    this.#checkDone()
  }

  #closedError(what: string): DisconnectedError {
    const state = this.#state === 'closing' ? 'is being closed' : 'was closed'
    return new DisconnectedError(`${what}: the pool "${this.limits.name}" ${state}; the call was not made.`, {
      mayHaveRun: false,
    })
  }
}

/** Resolves when a thread has done with a call that was given up. One that awaits may be what the thread ends with. */
async function hasEnded(job: Job<unknown>, member: PoolMember): Promise<void> {
  await member.thread.peer.calls.noneLingers()
  await job.asksIdle!(member).catch(() => {})
}

/** Whether the caller was freed before the call's end. */
function wasGivenUp(error: unknown, settings: CallSettings | undefined): boolean {
  return settings?.signal?.aborted === true || (error instanceof DOMException && error.name === 'TimeoutError')
}
