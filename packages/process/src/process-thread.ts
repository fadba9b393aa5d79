/** The thread behind an apartment in another process. */
import type { OpenOptions } from '@flatshare/apartment'
import {
  type ApartmentThread,
  after,
  classNameFor,
  createBy,
  messages,
  ownThread,
  remoteOf,
  traceCall,
  type Wanted,
} from '@flatshare/apartment/internal'
import type { ThreadId, WorkerOutput } from '@flatshare/core/internal'
import type { ProcessLife } from './process-life.js'

export class ProcessThread implements ApartmentThread {
  readonly remote: object
  #closing: Promise<void> | undefined
  #refuses = false
  /** Why this thread has ended it, for errors. */
  #cause: Error | undefined

  constructor(
    readonly life: ProcessLife,
    readonly options: OpenOptions,
    readonly killTimeout: number,
  ) {
    const { peer, serves } = life
    this.remote = remoteOf(peer, serves)
    const forget = ownThread(peer.threadId, (cause) => {
      this.#cause = cause
      void this.terminate()
    })
    peer.onGone(forget)
  }

  get id(): ThreadId {
    return this.life.peer.threadId
  }

  get name(): string {
    return this.life.peer.name
  }

  get state(): ApartmentThread['state'] {
    if (this.life.peer.gone) return 'ended'
    return this.#refuses ? 'closing' : 'connected'
  }

  get stdout(): WorkerOutput | undefined {
    return this.options.stdout ? (this.life.running.child.stdout as WorkerOutput) : undefined
  }

  get stderr(): WorkerOutput | undefined {
    return this.options.stderr ? (this.life.running.child.stderr as WorkerOutput) : undefined
  }

  async create(wanted: Wanted, args: unknown[]): Promise<unknown> {
    return createBy(this.life.peer, classNameFor(wanted), args, traceCall())
  }

  #refuse(): void {
    this.#refuses = true
    this.life.peer.refuseCalls()
  }

  close(timeout: number): Promise<void> {
    return (this.#closing ??= this.#close(timeout))
  }

  async #close(timeout: number): Promise<void> {
    const { peer, running } = this.life
    this.#refuse()
    // Whoever awaits this shall see it end.
    running.hold(true)
    const late = after(timeout)
    await Promise.race([new Promise<void>((resolve) => peer.whenIdle(resolve)), late.promise])
    if (!peer.gone) peer.link.send([messages.CLOSE])
    await Promise.race([running.exited, late.promise])
    late.stop()
    running.kill('SIGTERM')
    const tooLate = after(this.killTimeout)
    await Promise.race([running.exited, tooLate.promise])
    tooLate.stop()
    await this.terminate()
  }

  async terminate(): Promise<void> {
    const { peer, running } = this.life
    this.#refuse()
    running.hold(true)
    // Before the link can say that it is broken.
    if (this.#cause) peer.end(this.#cause)
    running.kill('SIGKILL')
    await running.exited
    peer.end(running.failure)
  }
}
