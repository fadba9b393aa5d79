/**
 * References across threads: objects of apartment-threaded classes, functions, objects marked by
 * reference, and proxies of any of them.
 *
 * What a packed reference holds, and how it is found there:
 *
 *   inside a call, of this thread     its number; it is counted on the link that the call takes
 *   inside a call, of the callee      its number, if it came by this very link, where the message can't be
 *                                     overtaken by its release: the original is found there
 *   by hand, or of a third thread     its number and the port of a link of its own to its home, so that
 *                                     whoever unpacks it talks to the home directly
 *   to or of another process          its number and whose it is, the sender's or the receiver's, as no port gets there;
 *                                     one of a third thread by a stub of the sender's (`relay.ts`)
 *
 * A reference that is packed and never sent, sent and never unpacked, or lost on its way ends with its
 * count taken back or its port closed.
 */
import { DisconnectedError, FlatshareError, NotMarshalableError } from '@flatshare/core'
import {
  isAlive,
  isByReference,
  isPort,
  type MarshalContext,
  type Marshaler,
  ownThreadId,
  type Port,
  registerMarshaler,
  type ThreadId,
} from '@flatshare/core/internal'
import { packingPeer, unpackingPeer } from './crossing.js'
import { crossingName, isClass } from './description.js'
import { ownLinkKind } from './link-kind.js'
import { type About, LINK } from './messages.js'
import { Peer } from './peer.js'
import { knownProxy, proxyOf, referenceOf } from './proxy.js'
import { useMarshaler } from './proxy-prototype.js'
import { type Origin, Reference } from './reference.js'
import { checkOrigin, knownAt, originOf, relayOf } from './relay.js'
import { aboutOf, learn } from './remote-description.js'
import { linkOver } from './shared-link.js'
import { FUNCTION, hold, objectOf, type Stub, stubFor } from './stub.js'

interface Body {
  readonly home: ThreadId
  readonly id: number
  readonly about: About
  readonly port?: Port
  /** Where it lives, if calls only go there by that thread. */
  readonly origin?: Origin
  /** Sent by this thread to itself: held by what `hold` counts alone, since nobody releases what comes home. */
  readonly mine?: true
}

/** How to take back what packing did, by the body that it gave. */
const undo = new WeakMap<Body, () => void>()

/** Between threads apart. */
interface ApartBody {
  readonly of: 'sender' | 'receiver'
  readonly id: number
  readonly about: About
  /** Where it lives, if that isn't with the sender. */
  readonly origin?: Origin
}

const undoApart = new WeakMap<ApartBody, () => void>()

const apartMarshaler: Marshaler<object, ApartBody> = {
  kind: 'reference apart',
  model: 'apartment',
  apart: 'same',

  marshal(x, context) {
    const peer = packingPeer(context.transferList)!
    const reference = referenceOf(x)
    const came = reference?.standIn === undefined ? reference?.by(peer) : undefined
    if (came) {
      const { id, description } = came
      return { of: 'receiver', id, about: [aboutOf(description)[0], description.name] }
    }
    const stub = stubOf(x, reference)
    const { about, takeBack } = countFor(peer, stub)
    const origin = reference && reference.standIn === undefined ? originOf(reference) : undefined
    const body: ApartBody = { of: 'sender', id: stub.id, about, ...(origin && { origin }) }
    undoApart.set(body, takeBack)
    return body
  },

  unmarshal({ of, id, about, origin }) {
    const from = unpackingPeer()!
    if (of === 'receiver') {
      if (!from.gave(id)) throw new FlatshareError('A reference came home that nobody was given.')
      return objectOf(id)
    }
    const description = learn(from.threadId, about)
    if (origin) checkOrigin(origin)
    const known = origin && from.trusts ? knownAt(origin) : undefined
    if (known) {
      letGoUnread(id)
      return known
    }
    return placed(proxyOf(from.threadId, id, description, from), origin, from)
  },

  release(body) {
    const takeBack = undoApart.get(body)
    if (takeBack) {
      undoApart.delete(body)
      takeBack()
    } else if (body.of === 'sender') {
      // What is told of a class is told once.
      learn(unpackingPeer()!.threadId, body.about)
      letGoUnread(body.id)
    }
  },
}

/** Notes where the object of a proxy lives. */
function placed(proxy: object, origin: Origin | undefined, from: Peer | undefined): object {
  const reference = origin && referenceOf(proxy)!
  if (reference && !reference.origin) {
    reference.origin = origin
    if (from?.trusts) Reference.noteHandedOn(reference)
  }
  return proxy
}

/** What came inside a message whose unpacking failed is let go at its home. */
function letGoUnread(id: number): void {
  const from = unpackingPeer()
  if (!from) return
  from.held++
  from.release(id, 1)
}

export const referenceMarshaler: Marshaler<object, Body> = {
  kind: 'reference',
  model: 'apartment',
  apart: apartMarshaler,
  claim: (x) => typeof x === 'function' || isByReference(x),

  marshal(x, context) {
    const reference = referenceOf(x)
    if (context.table) {
      throw new NotMarshalableError(
        `A table packet can't carry ${nameOf(x, reference)}: a reference to an apartment-threaded object is ` +
          'for one receiver. Marshal it for each.',
      )
    }
    if (reference?.standIn !== undefined) return packOwn(stubOf(x, reference), context)
    if (reference && !reference.peer?.link.apart) return packProxy(reference, context)
    return packOwn(stubOf(x, reference), context, reference && originOf(reference))
  },

  unmarshal({ home, id, about, port, mine, origin }, _context) {
    const from = unpackingPeer()
    if (home === ownThreadId()) {
      try {
        // Who names one of this thread's objects holds it, by this very link or by the one that came along.
        if (!isPort(port) && !from?.gave(id)) throw new FlatshareError('A reference came home that nobody was given.')
        return objectOf(id)
      } finally {
        if (isPort(port)) port.close()
        if (mine && from?.settings.thread === home) hold(id, -1)
      }
    }
    if (port === undefined && from?.threadId === home) {
      const description = learn(home, about)
      const known = origin && knownAt(origin)
      if (!known) return placed(proxyOf(home, id, description, from), origin, from)
      letGoUnread(id)
      return known
    }
    if (!isPort(port)) throw new NotMarshalableError('A reference was copied without its transfer list.')
    const known = knownProxy(home, id)
    if (known) {
      // It is held here already: the link that came with it isn't needed.
      port.close()
      return known
    }
    const peer = new Peer(linkOver(port, ownLinkKind(), false), { thread: home, transient: true })
    peer.hello()
    return placed(proxyOf(home, id, learn(home, about), peer), origin, peer)
  },

  release(body) {
    const takeBack = undo.get(body)
    if (takeBack) {
      undo.delete(body)
      takeBack()
    } else if (body.mine && unpackingPeer()?.settings.thread === body.home) hold(body.id, -1)
    else if (isPort(body.port)) body.port.close()
    else {
      if (unpackingPeer()?.threadId !== body.home) return
      learn(body.home, body.about)
      letGoUnread(body.id)
    }
  },
}

function nameOf(x: object, reference: Reference | undefined): string {
  if (reference) return `a proxy of ${reference.name}`
  if (typeof x === 'function') return `the function ${x.name || '(anonymous)'}`
  return `an object of ${stubFor(x).name}`
}

/** The stub by which others reach it: that of an object of this thread, or of a proxy that is handed on by this thread. */
function stubOf(x: object, reference: Reference | undefined): Stub {
  if (reference) {
    const { standIn } = reference
    if (standIn) return stubFor(standIn)
    requireLasting(reference)
    return relayOf(reference, x)
  }
  if (typeof x === 'function' && isClass(x)) {
    throw new NotMarshalableError(
      `The class ${crossingName(x)} can't cross to another thread: serve it there, and create it by name.`,
    )
  }
  return stubFor(x)
}

function packOwn(stub: Stub, context: MarshalContext, origin?: Origin): Body {
  const peer = packingPeer(context.transferList)
  if (!peer)
    return packWithPort(
      { home: ownThreadId(), id: stub.id, about: stub.about(), ...(origin && { origin }) },
      context,
      (port) => {
        const holder = new Peer(linkOver(port, ownLinkKind(), false), { transient: true })
        holder.count(stub)
        return () => holder.end()
      },
    )
  if (peer.settings.thread === ownThreadId()) {
    hold(stub.id, 1, stub)
    const body: Body = { home: peer.threadId, id: stub.id, about: [FUNCTION, stub.name], mine: true }
    undo.set(body, () => hold(stub.id, -1))
    return body
  }
  const { about, takeBack } = countFor(peer, stub)
  const body: Body = { home: ownThreadId(), id: stub.id, about, ...(origin && { origin }) }
  undo.set(body, takeBack)
  return body
}

/** Counts a reference that goes to a peer, and says of it what that hasn't been told. */
function countFor(peer: Peer, stub: Stub): { about: About; takeBack: () => void } {
  const about = stub.about()
  const news = about[0] !== FUNCTION && !peer.told.has(about[0])
  const uncount = peer.count(stub)
  if (news) peer.told.add(about[0])
  const takeBack = () => {
    uncount()
    if (news) peer.told.delete(about[0])
  }
  return { about: news || about[0] === FUNCTION ? about : [about[0]], takeBack }
}

function packProxy(reference: Reference, context: MarshalContext): Body {
  const { home, id, description } = reference
  const to = packingPeer(context.transferList)
  const about = aboutOf(description)
  if (to && reference.cameBy(to)) return { home, id, about: [about[0], description.name] }
  const peer = requireLasting(reference)
  return packWithPort({ home, id, about }, context, (port) => {
    peer.link.send([LINK, id, port], [port])
  })
}

function requireLasting(reference: Reference): Peer {
  const { peer } = reference
  // Its end may be noted before it is heard of here.
  if (peer && !peer.gone && !reference.released && isAlive(reference.home)) return peer
  const why = reference.released ? 'it was released' : `the thread "${reference.homeName}" has ended`
  throw new DisconnectedError(`A proxy of ${reference.name} can't be handed on: ${why}.`, { mayHaveRun: false })
}

function packWithPort(reference: Body, context: MarshalContext, attach: (port: Port) => (() => void) | void): Body {
  const { port1, port2 } = new MessageChannel()
  const detach = attach(port1)
  context.transferList.push(port2)
  const body: Body = { ...reference, port: port2 }
  undo.set(body, () => {
    port2.close()
    detach?.()
  })
  return body
}

registerMarshaler(referenceMarshaler)
registerMarshaler(apartMarshaler)
useMarshaler(referenceMarshaler)
