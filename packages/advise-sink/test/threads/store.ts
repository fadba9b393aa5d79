/** A module whose exports are served: a source of events, and an owner of sinks, for threads of the tests. */
import { AsyncResource } from 'node:async_hooks'
import {
  type AdviseConnection,
  type AdviseRequest,
  AdviseSource,
  type Notification,
  type RaiseAndWaitOptions,
  type RaiseOutcome,
} from '@flatshare/advise-sink'
import { ApartmentThreaded, type Remote } from '@flatshare/apartment'
import { currentThread } from '@flatshare/core'

export interface Created {
  readonly name: string
  readonly tags: { readonly [key: string]: number[] }
}

export interface StoreEvents {
  objectCreated: Created
  batchDone: number
  carrying: { call: (x: number) => unknown; store: unknown }
}

export type StoreNotification = Notification<StoreEvents>

@ApartmentThreaded()
export class Store {
  readonly #source = new AdviseSource<StoreEvents>({ events: ['objectCreated', 'batchDone', 'carrying'] })

  advise(...request: AdviseRequest<StoreEvents>): AdviseConnection {
    return this.#source.advise(...request)
  }

  unadvise(connection: AdviseConnection): Promise<void> {
    return this.#source.unadvise(connection)
  }

  connections(): number {
    return this.#source.connections
  }

  source(): AdviseSource<StoreEvents> {
    return this.#source
  }

  create(name: string): void {
    const tags = { a: [1, 2] }
    this.#source.raise('objectCreated', { name, tags })
    // The payload is that of the moment of raising.
    tags.a.push(3)
  }

  done(first: number, count = 1, target?: unknown): void {
    for (let i = first; i < first + count; i++) {
      this.#source.raise('batchDone', i, target === undefined ? {} : { target })
    }
  }

  ask(value: number, options: RaiseAndWaitOptions = {}): Promise<RaiseOutcome> {
    return this.#source.raiseAndWait('batchDone', value, options)
  }

  #callback: (() => unknown) | undefined

  keep(callback: () => unknown): void {
    // It belongs to this call, whoever has it called.
    this.#callback = AsyncResource.bind(() => callback())
  }

  /** Raises, calls back, and answers when all of it has been sent to other threads. */
  async doneAndSent(first: number, count: number): Promise<void> {
    this.done(first, count)
    void this.#callback?.()
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
  }

  room(): Promise<void> {
    return this.#source.room()
  }

  carry(): void {
    this.#source.raise('carrying', { call: (x) => [x, currentThread.id], store: this })
  }

  carryTo(call: (x: unknown) => unknown): void {
    this.#source.raise('carrying', { call, store: null })
  }

  unknown(): void {
    this.#source.raise('never' as 'batchDone', 1)
  }
}

/** Lives on a third thread, and owns a sink there. */
@ApartmentThreaded()
export class Listener {
  readonly #heard: Array<[event: string, payload: unknown, thread: number]> = []
  #connection: Remote<AdviseConnection> | undefined

  async listen(store: Remote<Store>): Promise<void> {
    const heard = this.#heard
    this.#connection = await store.advise(['objectCreated', 'batchDone'], {
      onNotify(batch) {
        for (const { event, payload } of batch) heard.push([event, payload, currentThread.id])
      },
    })
  }

  /** Advises a sink that never answers. */
  async hang(store: Remote<Store>, onCalled: () => void): Promise<void> {
    await store.advise('batchDone', () => {
      onCalled()
      return new Promise(() => {})
    })
  }

  heard(): unknown[] {
    return this.#heard
  }

  async stop(): Promise<void> {
    await this.#connection!.unadvise()
  }

  /** A sink of this thread, for somebody else to advise. */
  sink(): { onNotify(batch: readonly StoreNotification[]): void } {
    const heard = this.#heard
    return {
      onNotify(batch) {
        for (const { event, payload } of batch) heard.push([event, payload, currentThread.id])
      },
    }
  }

  /** A sink that ends its thread when it is called. */
  dyingSink(): () => void {
    return () => process.exit()
  }

  /** Raises so often; gives the name of the error that ends it. */
  flood(source: AdviseSource<{ tick: number }>, times: number): string | undefined {
    try {
      for (let i = 0; i < times; i++) source.raise('tick', i)
      return undefined
    } catch (error) {
      return (error as Error).name
    }
  }

  readonly #running: unknown[] = []
  #letGo = () => {}

  /** Advises a sink whose first call ends when it is let go; it calls back when it is called. */
  held(
    source: AdviseSource<StoreEvents>,
    onCalled: (payloads: unknown[]) => void,
    onFailed: (message: string) => void = () => {},
  ): void {
    let now = 0
    let first = true
    const sink = async (batch: readonly StoreNotification[]) => {
      now++
      this.#running.push(now)
      onCalled(batch.map(({ payload }) => payload))
      if (first) {
        first = false
        await new Promise<void>((resolve) => (this.#letGo = resolve))
      }
      now--
    }
    source.advise('batchDone', sink, { onError: (error) => onFailed((error as Error).message) })
  }

  letGo(): void {
    this.#letGo()
  }

  /** How many calls of the sink ran at once, at the beginning of each. */
  running(): unknown[] {
    return this.#running
  }
}
