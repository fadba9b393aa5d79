/** Packing for the thread at the other end of a link, and unpacking what came by one. */
import { NotMarshalableError } from '@flatshare/core'
import {
  type ApartPacking,
  decodeFromArena,
  encodeInto,
  foreignHome,
  type LinkDecodeOptions,
  type LinkEncodeOptions,
  noteDowngrade,
  type PackedGraph,
  type PackedReference,
  packGraph,
  releaseApart,
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

/** What errors call the call that carries the value that is packed next, for a thread apart. */
let carrying: { readonly label: string } | undefined
let refusing = false

/** Says what call, if any, carries the value that is packed next for a thread apart, and whether it refuses downgrades. */
export function carriedBy(call: { readonly label: string } | undefined, refuses: boolean): void {
  carrying = call
  refusing = refuses
}

let failing = false

/** Carries what was thrown. It must arrive: what hangs on it, and may not leave the process, is left out. */
export function carryFailure(carry: () => void): void {
  const outer = failing
  failing = true
  try {
    carry()
  } finally {
    failing = outer
  }
}

function apartPacking(peer: Peer): ApartPacking {
  const call = carrying
  const refuses = refusing
  const isFailure = failing
  carriedBy(undefined, false)
  return {
    downgraded(x, place, memoryOnly) {
      if (isFailure && memoryOnly) throw new NotMarshalableError('It may not leave its process.')
      const label = call?.label ?? 'A message'
      const { process = 'unknown', pid } = foreignHome(peer.threadId) ?? {}
      noteDowngrade(x, place, memoryOnly, { label, refuses, to: { process, pid, thread: peer.name } })
    },
  }
}

/** Packs a value for a peer. What must be transferred with it is added to the list. */
export function packFor(peer: Peer, value: unknown, transferList: any[]): PackedGraph {
  const [outerPeer, outerList] = [packingPeerNow, packingList]
  packingPeerNow = peer
  packingList = transferList
  try {
    const apart = peer.link.apart ? apartPacking(peer) : undefined
    return packGraph(value, { transferList, to: peer.threadId || undefined, apart })
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
    return unpackGraph(graph, { from: peer.threadId, apart: peer.link.apart })
  } finally {
    unpackingFrom = outer
  }
}

/** Lets go, at its home, of what came from a peer apart and is not unpacked. */
export function releaseArrived(peer: Peer, refs: PackedReference[]): void {
  const outer = unpackingFrom
  unpackingFrom = peer
  try {
    releaseApart(refs)
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
