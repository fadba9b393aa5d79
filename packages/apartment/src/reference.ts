/** What a proxy stands on: an object of another thread, and the links by which it arrived. */
import { DisconnectedError, FlatshareError } from '@flatshare/core'
import { onThreadExitInternal, type ThreadId, threadName } from '@flatshare/core/internal'
import { traceCall } from './call-trace.js'
import type { About, How } from './messages.js'
import type { CallSettings, Peer } from './peer.js'
import { FUNCTION, SERVED } from './stub.js'

/** What is known here of a kind of object of another thread. */
export interface RemoteDescription {
  readonly id: number
  readonly name: string
  readonly isFunction: boolean
  readonly methods: readonly string[]
  readonly getters: readonly string[]
}

const descriptions = new Map<ThreadId, Map<number, RemoteDescription>>()
const references = new Map<ThreadId, Map<number, Reference>>()

onThreadExitInternal(({ id }) => {
  descriptions.delete(id)
})

/** Notes what came with a reference, or finds what came with one before. */
export function learn(home: ThreadId, [id, name, methods, getters]: About): RemoteDescription {
  if (id === FUNCTION) return { id, name: name ?? 'function', isFunction: true, methods: [], getters: [] }
  if (id === SERVED) {
    return Object.freeze({ id, name: name!, isFunction: false, methods: methods ?? [], getters: getters ?? [] })
  }
  let known = descriptions.get(home)
  if (!known) descriptions.set(home, (known = new Map()))
  let description = known.get(id)
  if (!description) {
    if (name === undefined) throw new FlatshareError(`A reference came without a description of its class.`)
    description = Object.freeze({ id, name, isFunction: false, methods: methods ?? [], getters: getters ?? [] })
    known.set(id, description)
  }
  return description
}

export class Reference {
  /** The proxy; it may be collected, and another made, while the reference stands. */
  proxy: WeakRef<object> | undefined
  released = false
  readonly #arrivals = new Map<Peer, number>()

  constructor(
    readonly home: ThreadId,
    readonly id: number,
    readonly description: RemoteDescription,
  ) {}

  /** The reference to that object, known already or new. */
  static of(home: ThreadId, id: number, description: RemoteDescription): Reference {
    let ofHome = references.get(home)
    if (!ofHome) references.set(home, (ofHome = new Map()))
    let reference = ofHome.get(id)
    if (!reference) ofHome.set(id, (reference = new Reference(home, id, description)))
    return reference
  }

  static find(home: ThreadId, id: number): Reference | undefined {
    return references.get(home)?.get(id)
  }

  get name(): string {
    return this.description.name
  }

  get homeName(): string {
    return this.peer?.name ?? threadName(this.home)
  }

  /** The link that calls take: the first by which it came, while that lasts. */
  get peer(): Peer | undefined {
    let first: Peer | undefined
    for (const peer of this.#arrivals.keys()) {
      if (!peer.gone) return peer
      first ??= peer
    }
    return first
  }

  /** Whether it came by this link, so that what is sent there about it arrives before its release does. */
  cameBy(peer: Peer): boolean {
    return !this.released && this.#arrivals.has(peer)
  }

  /** Notes that it came, once more, by this link. */
  arrived(peer: Peer): void {
    this.#arrivals.set(peer, (this.#arrivals.get(peer) ?? 0) + 1)
    peer.held++
  }

  call(how: How, member: string, args: unknown[], keep: unknown, settings?: CallSettings): Promise<unknown> {
    const { peer } = this
    if (this.released || !peer) {
      return Promise.reject(
        new DisconnectedError(`${this.name}: this proxy was released; the call was not made.`, { mayHaveRun: false }),
      )
    }
    return peer.call({ id: this.id, name: this.name, keep }, how, member, args, traceCall(), settings)
  }

  /** Lets go of it: the home thread drops the object once nobody holds it. Again does nothing. */
  release(): void {
    if (this.released) return
    this.released = true
    const ofHome = references.get(this.home)
    if (ofHome?.get(this.id) === this) {
      ofHome.delete(this.id)
      if (ofHome.size === 0) references.delete(this.home)
    }
    for (const [peer, arrivals] of this.#arrivals) peer.release(this.id, arrivals)
    this.#arrivals.clear()
  }
}
