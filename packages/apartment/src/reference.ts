/** What a proxy stands on: an object of another thread, and the links by which it arrived. */
import { DisconnectedError } from '@flatshare/core'
import { ownThreadId, type ThreadHome, type ThreadId, threadName } from '@flatshare/core/internal'
import { callAndBlock } from './blocking-call.js'
import type { CallSettings } from './call-settings.js'
import { type How, labelOf } from './messages.js'
import { ownsThread } from './own-threads.js'
import type { Peer } from './peer.js'
import type { RemoteDescription } from './remote-description.js'
import { objectOf } from './stub.js'

/** Where an object lives that is handed on, and its number there. */
export interface Origin extends ThreadHome {
  readonly object: number
}

/** References to what others have handed on, by where it lives. */
const handedOn = new Map<string, WeakRef<Reference>>()
const placeOf = (process: string, thread: ThreadId, object: number) => `${process}/${thread}/${object}`

const references = new Map<ThreadId, Map<number, Reference>>()

export class Reference {
  /** The proxy; it may be collected, and another made, while the reference stands. */
  proxy: WeakRef<object> | undefined
  released = false
  /** Where it lives, where another thread has handed it on than its home, to which calls go by that one. */
  origin: Origin | undefined
  /** The reference to the same object that came from its home later: calls go there. */
  #nearer: Reference | undefined
  /** Called with what takes its place when it is released: others hold the object by way of this thread. */
  passOn: ((heir: Reference) => void) | undefined
  readonly #arrivals = new Map<Peer, number>()
  #first: Peer | undefined

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

  /** The reference to something that was handed on, which lives there. */
  static handedOn(process: string, thread: ThreadId, object: number): Reference | undefined {
    return handedOn.get(placeOf(process, thread, object))?.deref()
  }

  /** Notes where the object lives, by the word of one who is believed; then it is found by that. */
  static noteHandedOn(reference: Reference): void {
    const { process, thread, object } = reference.origin!
    handedOn.set(placeOf(process, thread, object), new WeakRef(reference))
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

  /**
   * The proxy of this one becomes that of `nearer` as well, which is to the same object by a link to its home. Gives it,
   * unless there is none, or another such link stands.
   */
  serveFor(nearer: Reference): object | undefined {
    const proxy = this.released ? undefined : this.proxy?.deref()
    const other = this.#nearer
    if (!proxy || (other && other !== nearer && this.#way === other)) return undefined
    if (other !== nearer) other?.release()
    this.#nearer = nearer
    nearer.proxy = this.proxy
    return proxy
  }

  /** By which calls go. */
  get #way(): Reference {
    const nearer = this.#nearer
    return nearer?.released === false && nearer.peer?.gone === false ? nearer : this
  }

  /** The reference, this one or the nearer one, that came by this link, so that what is sent there of it finds the object. */
  by(peer: Peer): Reference | undefined {
    if (this.cameBy(peer)) return this
    return this.#nearer?.cameBy(peer) ? this.#nearer : undefined
  }

  /** The link that calls take: the first by which it came, while that lasts. */
  get peer(): Peer | undefined {
    const first = this.#first
    return first === undefined || first.gone ? this.#next() : first
  }

  #next(): Peer | undefined {
    let first: Peer | undefined
    for (const peer of this.#arrivals.keys()) {
      if (!peer.gone) return (this.#first = peer)
      first ??= peer
    }
    return first
  }

  /** The reference whose link a call takes now; that of a pool's remote chooses. `label` is what errors call the call. */
  route(_label: string): Reference {
    return this.#way
  }

  /** Whether this thread may end the one that calls go to. */
  get isOfOwnThread(): boolean {
    const way = this.#way
    return way.origin === undefined && ownsThread(way.home)
  }

  /** The object of this thread by which other threads get what the proxy stands for; undefined where they go to its home. */
  get standIn(): object | undefined {
    return this.home === ownThreadId() ? objectOf(this.id) : undefined
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
    const way = this.#way
    const { peer } = way
    if (this.released || !peer) return Promise.reject(this.#released())
    return peer.callHere(way, how, member, args, settings, keep)
  }

  /** As `call`, blocking: gives the result, or throws. */
  callBlocking(how: How, member: string, args: unknown[], keep: unknown, settings?: CallSettings): unknown {
    const route = this.route(labelOf(this.name, how, member))
    const { released, peer } = route
    if (released || this.released || !peer) throw this.#released()
    const target = route === this ? this : { id: route.id, name: this.name }
    return callAndBlock(peer, target, how, member, args, settings, keep)
  }

  #released(): DisconnectedError {
    const message = `${this.name}: this proxy was released; the call was not made.`
    return new DisconnectedError(message, { mayHaveRun: false })
  }

  /** Lets go of it: the home thread drops the object once nobody holds it. Again does nothing. */
  release(): void {
    if (this.released) return
    this.released = true
    const nearer = this.#nearer
    // Another proxy may stand on that one by now.
    if (nearer && (nearer.proxy === this.proxy || nearer.proxy?.deref() === undefined)) nearer.release()
    this.#nearer = undefined
    if (this.origin) this.#forgetHandedOn(this.origin)
    const ofHome = references.get(this.home)
    const isFound = ofHome?.get(this.id) === this
    if (this.passOn) {
      const heir = new Reference(this.home, this.id, this.description)
      heir.origin = this.origin
      for (const [peer, arrivals] of this.#arrivals) heir.#arrivals.set(peer, arrivals)
      if (isFound) ofHome!.set(this.id, heir)
      this.#arrivals.clear()
      this.#first = undefined
      this.passOn(heir)
      return
    }
    if (isFound) {
      ofHome!.delete(this.id)
      if (ofHome!.size === 0) references.delete(this.home)
    }
    for (const [peer, arrivals] of this.#arrivals) peer.release(this.id, arrivals)
    this.#arrivals.clear()
    this.#first = undefined
  }

  #forgetHandedOn({ process, thread, object }: Origin): void {
    const place = placeOf(process, thread, object)
    if (handedOn.get(place)?.deref() === this) handedOn.delete(place)
  }
}
