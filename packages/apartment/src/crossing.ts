/** Packing for the thread at the other end of a link, and unpacking what came by one. */
import { NotMarshalableError } from '@flatshare/core'
import {
  decodeFromArena,
  encodeInto,
  type LinkDecodeOptions,
  type LinkEncodeOptions,
  type PackedGraph,
  type PackedReference,
  packGraph,
  releaseInArena,
  unpackGraph,
} from '@flatshare/core/internal'
import type { Peer } from './peer.js'

let packingPeerNow: Peer | undefined
let packingList: any[] | undefined
let unpackingFrom: Peer | undefined

/** The peer for which the packet that has this transfer list is packed; undefined for one made by hand. */
export function packingPeer(transferList: any[]): Peer | undefined {
  return packingList === transferList ? packingPeerNow : undefined
}

/** The peer from which the running unmarshal came; undefined for a packet. */
export function unpackingPeer(): Peer | undefined {
  return unpackingFrom
}

/** Packs a value for a peer. What must be transferred with it is added to the list. */
export function packFor(peer: Peer, value: unknown, transferList: any[]): PackedGraph {
  const [outerPeer, outerList] = [packingPeerNow, packingList]
  packingPeerNow = peer
  packingList = transferList
  try {
    return packGraph(value, { transferList, to: peer.threadId || undefined })
  } finally {
    packingPeerNow = outerPeer
    packingList = outerList
  }
}

/** Encodes a value for a peer, as core's `encodeInto`. */
export function encodeFor(
  peer: Peer,
  value: unknown,
  start: number,
  end: number,
  most: number,
  options: LinkEncodeOptions,
): number | Uint8Array | undefined {
  const outerPeer = packingPeerNow
  const outerList = packingList
  packingPeerNow = peer
  packingList = options.transferList
  try {
    return encodeInto(value, start, end, most, options)
  } finally {
    packingPeerNow = outerPeer
    packingList = outerList
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

/** Decodes what a peer has encoded, as core's `decodeFromArena`. */
export function decodeFrom(peer: Peer, start: number, end: number, options: LinkDecodeOptions): unknown {
  const outer = unpackingFrom
  unpackingFrom = peer
  try {
    return decodeFromArena(start, end, options)
  } finally {
    unpackingFrom = outer
  }
}

/** Lets go of what a peer has encoded, as core's `releaseInArena`. */
export function releaseFrom(peer: Peer, start: number, end: number, options: LinkDecodeOptions): void {
  const outer = unpackingFrom
  unpackingFrom = peer
  try {
    releaseInArena(start, end, options)
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
