/**
 * References to what lives on a third thread, for a thread apart.
 *
 * No port crosses to another process, so the receiver can't talk to the object's home directly: it talks to this thread,
 * whose stub hands each call on by the proxy that it stands for. Causality, deadline and signal go along; answers come
 * back the same way. Calls don't queue here, only at home. What comes back to this thread is that proxy.
 *
 * Where the object lives goes along, so that who has it already, by a link of its own, gets that one again (`knownAt`).
 */
import { NotMarshalableError } from '@flatshare/core'
import { currentCall, foreignAt, ownThreadId, processName } from '@flatshare/core/internal'
import { blockedCall } from './blocked-thread.js'
import type { CallSettings } from './call-settings.js'
import { newDescriptionId } from './description.js'
import { homeOfReference } from './home-of.js'
import type { About, How } from './messages.js'
import { freshProxy, knownProxy } from './proxy.js'
import type { Origin, Reference } from './reference.js'
import { aboutOf, type RemoteDescription } from './remote-description.js'
import type { ServedCall } from './served-call.js'
import { FUNCTION, newStubId, type Stub, stubById } from './stub.js'

/** Where the object behind a proxy lives, for others to which this thread hands it on. */
export function originOf(reference: Reference): Origin {
  return { ...homeOfReference(reference), object: reference.origin?.object ?? reference.id }
}

/** What is here already of an object that was handed on: the same proxy, by whatever way it came first. */
export function knownAt({ process, thread, object }: Origin): object | undefined {
  if (process === processName()) {
    return thread === ownThreadId()
      ? (stubById(object) as { object?: object } | undefined)?.object
      : knownProxy(thread, object)
  }
  for (const home of foreignAt(process, thread)) {
    const proxy = knownProxy(home, object)
    if (proxy) return proxy
  }
  return undefined
}

/** @throws NotMarshalableError for what says of nothing where it lives. */
export function checkOrigin({ process, pid, thread, name, object }: Origin): void {
  const isHome = typeof process === 'string' && typeof name === 'string' && Number.isInteger(thread)
  if (isHome && Number.isInteger(object) && (pid === undefined || Number.isInteger(pid))) return
  throw new NotMarshalableError('A reference came that does not say where its object lives.')
}

/** The numbers of their homes' descriptions mean nothing to who hears of them from this thread. */
const numbers = new WeakMap<RemoteDescription, number>()

class RelayStub implements Stub {
  readonly id = newStubId()
  reference: Reference
  /** The proxy. */
  object: object

  constructor(reference: Reference, proxy: object) {
    this.reference = reference
    this.object = proxy
  }

  get name(): string {
    return this.reference.name
  }

  /** Others hold it from now on: what releases the proxy here doesn't let go of the object. */
  hold(): void {
    this.reference.passOn = (heir) => {
      this.reference.passOn = undefined
      this.reference = heir
      this.object = freshProxy(heir)
      relays.set(this.object, this)
      this.hold()
    }
  }

  readonly unheld = (): void => {
    this.reference.passOn = undefined
  }

  gate(): undefined {
    return undefined
  }

  perform(how: How, member: string, args: unknown[]): unknown {
    if (how === 'idle') return undefined
    if (how === 'create') throw new TypeError(`Nothing can be created by a proxy of ${this.name} that was handed on.`)
    const call = currentCall() as ServedCall | undefined
    const settings: CallSettings | undefined = call && { signal: call.signal }
    // A promise couldn't settle while this thread blocks on what has led here.
    if (call?.replies && blockedCall()) return this.reference.callBlocking(how, member, args, this.object, settings)
    return this.reference.call(how, member, args, this.object, settings)
  }

  refusal(): undefined {
    return undefined
  }

  about(): About {
    const { description } = this.reference
    const [number, ...rest] = aboutOf(description)
    if (number === FUNCTION) return [number, ...rest]
    let own = numbers.get(description)
    if (own === undefined) numbers.set(description, (own = newDescriptionId()))
    return [own, ...rest]
  }
}

/** By their proxies, which the stubs keep while others hold them, and which must not be kept by their references. */
const relays = new WeakMap<object, RelayStub>()

/** The stub of a proxy, which may be a view of another, for others to hold. */
export function relayOf(reference: Reference, view: object): Stub {
  const proxy = reference.proxy?.deref() ?? view
  let relay = relays.get(proxy)
  if (!relay) relays.set(proxy, (relay = new RelayStub(reference, proxy)))
  relay.hold()
  return relay
}
