/**
 * The thread behind an apartment whose process is started again when it ends.
 *
 *   serving  → waiting   its process has ended, and the policy wants another: after a pause it is started
 *   waiting  → serving   that one serves
 *   waiting  → waiting   it did not come so far: the policy is asked again
 *   any      → given up  the policy wants no more: calls reject
 *   any      → closed    by its opener
 *
 * Calls by the apartment (`remote`, `create`) go to the process that lives, and wait while there is none. Objects are
 * lost with the process that they lived in: their proxies, and what was awaited, reject with `DisconnectedError`.
 */
import type { CallSettings, OpenOptions } from '@flatshare/apartment'
import {
  type ApartmentThread,
  called,
  classNameFor,
  createBy,
  openRemote,
  ROOT,
  referenceOf,
  traceCall,
  type Waited,
  type Wanted,
  waitWithin,
} from '@flatshare/apartment/internal'
import { DisconnectedError, FlatshareError } from '@flatshare/core'
import { currentFrame, runInFrame, type ThreadId, type WorkerOutput } from '@flatshare/core/internal'
import type { ChildSource } from './child-options.js'
import { type ProcessLife, startLife } from './process-life.js'
import { ProcessThread } from './process-thread.js'
import { type RestartOptions, RestartPolicy } from './restart-policy.js'
import type { ProcessExit } from './running-process.js'

interface Waiting {
  resolve(thread: ProcessThread): void
  reject(error: Error): void
}

export class SupervisedThread implements ApartmentThread {
  readonly remote: object
  readonly #policy: RestartPolicy
  #current: ProcessThread
  #state: 'serving' | 'waiting' | 'given up' | 'closed' = 'serving'
  #givenUp: Error | undefined
  #closing: Promise<void> | undefined
  readonly #waiting = new Set<Waiting>()
  readonly #stopStarting = new AbortController()
  /** Calls that wait for a process: later ones don't overtake them. */
  #held = 0

  constructor(
    readonly source: ChildSource,
    readonly restart: Required<RestartOptions>,
    readonly options: OpenOptions,
    life: ProcessLife,
  ) {
    this.#policy = new RestartPolicy(restart)
    this.#current = this.#adopt(life)
    const thread = this
    this.remote = openRemote({
      get place() {
        return thread.name
      },
      ownThreads: true,
      call: (how, member, args, settings) => {
        const trace = traceCall()
        const target = { id: ROOT, name: 'served' }
        return this.#through(`served.${member}`, settings, ({ life }, rest) =>
          life.peer.call(target, how, member, args, trace, rest),
        )
      },
      nearest: (label) => {
        if (this.#state === 'serving') return referenceOf(this.#current.remote)!
        throw this.#absent(label)
      },
    })
  }

  get id(): ThreadId {
    return this.#current.id
  }

  get name(): string {
    return this.#current.name
  }

  get state(): ApartmentThread['state'] {
    if (this.#state === 'waiting') return 'not connected yet'
    return this.#state === 'given up' ? 'ended' : this.#current.state
  }

  get stdout(): WorkerOutput | undefined {
    return this.#current.stdout
  }

  get stderr(): WorkerOutput | undefined {
    return this.#current.stderr
  }

  async create(wanted: Wanted, args: unknown[]): Promise<unknown> {
    const name = classNameFor(wanted)
    const trace = traceCall()
    return this.#through(`new ${name}()`, undefined, ({ life }) => createBy(life.peer, name, args, trace))
  }

  async #through(
    what: string,
    settings: CallSettings | undefined,
    call: (thread: ProcessThread, settings: CallSettings | undefined) => Promise<unknown>,
  ): Promise<unknown> {
    if (this.#held === 0 && this.#state !== 'waiting') {
      if (this.#state === 'given up') throw this.#absent(what)
      return call(this.#current, settings)
    }
    const frame = currentFrame() ?? { parent: undefined }
    this.#held++
    let waited: Waited<ProcessThread>
    try {
      waited = await waitWithin<ProcessThread>(what, settings, (resolve, reject) => this.#wait({ resolve, reject }))
    } finally {
      this.#held--
    }
    return runInFrame(frame, () => call(waited.value, waited.settings))
  }

  #wait(waiting: Waiting): () => void {
    if (this.#state === 'waiting') this.#waiting.add(waiting)
    else if (this.#state === 'given up') waiting.reject(this.#absent('The call'))
    else waiting.resolve(this.#current)
    return () => this.#waiting.delete(waiting)
  }

  #absent(what: string): DisconnectedError {
    const why = this.#state === 'waiting' ? 'is being started again' : 'has ended and is not started again'
    const options = { mayHaveRun: false, ...(this.#givenUp && { cause: this.#givenUp }) }
    return new DisconnectedError(`${what}: the process of "${this.name}" ${why}; the call was not made.`, options)
  }

  // ── its processes ─────────────────────────────────────────────────────────────────────────

  #adopt(life: ProcessLife): ProcessThread {
    const thread = new ProcessThread(life, this.options, this.source.settings.killTimeout)
    life.peer.onGone(() => void this.#ended(life))
    return thread
  }

  async #ended({ running }: ProcessLife): Promise<void> {
    if (this.#state !== 'serving') return
    // So that a call that is made now waits.
    this.#state = 'waiting'
    const exit = await running.exited
    if (this.#closing) this.#settle('closed')
    else await this.#startAgain(exit, running.failure)
  }

  async #startAgain(exit: ProcessExit, cause: Error | undefined): Promise<void> {
    const pause = this.#policy.next(exit)
    if (pause === undefined) {
      this.#giveUp(cause)
      return
    }
    const { signal } = this.#stopStarting
    try {
      await this.#rest(pause)
      const life = await startLife(this.source, { ...this.options, signal })
      this.#current = this.#adopt(life)
      this.#settle('serving')
      // From nobody's code, so that what it throws reaches whoever handles that.
      const { restarts } = this.#policy
      queueMicrotask(() => this.restart.onRestart({ restarts, exit, cause, pid: life.running.child.pid }))
      if (life.peer.gone) await this.#ended(life)
    } catch (error) {
      if (signal.aborted) this.#settle('closed')
      else await this.#startAgain({ pid: undefined, code: null, signal: null }, error as Error)
    }
  }

  #rest(milliseconds: number): Promise<void> {
    const { signal } = this.#stopStarting
    return new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, milliseconds)
      if (this.options.keepAlive === false) timer.unref()
      signal.addEventListener('abort', () => {
        clearTimeout(timer)
        reject(signal.reason as Error)
      })
    })
  }

  #giveUp(cause: Error | undefined): void {
    const { restarts } = this.#policy
    const times = restarts === 1 ? 'once' : `${restarts} times`
    const so = restarts === 0 ? 'has ended' : `has ended again, after it was started again ${times}`
    this.#givenUp = new FlatshareError(`${called(this.options.name)} ${so}.`, cause && { cause })
    this.#settle('given up')
    queueMicrotask(() => this.restart.onGivenUp(this.#givenUp!))
  }

  #settle(state: 'serving' | 'given up' | 'closed'): void {
    this.#state = state
    for (const waiting of [...this.#waiting]) {
      if (state === 'given up') waiting.reject(this.#absent('The call'))
      else waiting.resolve(this.#current)
    }
    this.#waiting.clear()
  }

  close(timeout: number): Promise<void> {
    return (this.#closing ??= this.#end(() => this.#current.close(timeout)))
  }

  terminate(): Promise<void> {
    const ending = this.#end(() => this.#current.terminate())
    this.#closing ??= ending
    return ending
  }

  async #end(end: () => Promise<void>): Promise<void> {
    this.#stopStarting.abort()
    // One that is being started is killed by that: its starter settles.
    if (this.#state === 'waiting') await new Promise<void>((resolve) => this.#whenSettled(resolve))
    await end()
  }

  #whenSettled(resolve: () => void): void {
    this.#waiting.add({ resolve: () => resolve(), reject: () => resolve() })
  }
}
