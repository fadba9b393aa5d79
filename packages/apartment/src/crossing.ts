/** Packing for the thread at the other end of a link, and unpacking what came by one. */
import { NotMarshalableError } from '@flatshare/core'
import { type PackedGraph, type PackedReference, packGraph, unpackGraph } from '@flatshare/core/internal'
import type { Peer } from './peer.js'

let packingFor: { peer: Peer; transferList: any[] } | undefined
let unpackingFrom: Peer | undefined

/** The peer for which the packet that has this transfer list is packed; undefined for one made by hand. */
export function packingPeer(transferList: any[]): Peer | undefined {
  return packingFor?.transferList === transferList ? packingFor.peer : undefined
}

/** The peer from which the running unmarshal came; undefined for a packet. */
export function unpackingPeer(): Peer | undefined {
  return unpackingFrom
}

/** Packs a value for a peer. What must be transferred with it is added to the list. */
export function packFor(peer: Peer, value: unknown, transferList: any[]): PackedGraph {
  const outer = packingFor
  packingFor = { peer, transferList }
  try {
    return packGraph(value, { transferList, to: peer.threadId || undefined })
  } finally {
    packingFor = outer
  }
}

/** Unpacks what a peer has packed. */
export function unpackFrom(peer: Peer, value: unknown, refs: PackedReference[] | undefined): unknown {
  const outer = unpackingFrom
  unpackingFrom = peer
  try {
    const graph: PackedGraph = { value }
    if (refs) graph.refs = refs
    return unpackGraph(graph, { from: peer.threadId })
  } finally {
    unpackingFrom = outer
  }
}

/** The error for a value that can't cross, saying `what` it was; any other error as it is. */
export function cannotCross(error: unknown, what: string): unknown {
  if (error instanceof NotMarshalableError) {
    const message = error.message.replace(/^A value (?=can't cross)/, '')
    return new NotMarshalableError(message === error.message ? `${what}: ${message}` : `${what} ${message}`, {
      cause: error,
    })
  }
  if (error instanceof Error && /not listed in transferList|was not transferred/.test(error.message)) {
    return new NotMarshalableError(
      `${what} can't cross to another thread: it contains something that can't be copied, a message port for example. ` +
        'Move it: transfer(port).',
      { cause: error },
    )
  }
  if (!(error instanceof DOMException) || error.name !== 'DataCloneError') return error
  return new NotMarshalableError(`${what} can't cross to another thread: ${error.message}`, { cause: error })
}
