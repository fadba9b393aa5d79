/** Two ends of a link in one thread, as if they were of two processes. */
import { openOver, type Peer, remoteOf, serveOver } from '@flatshare/apartment/internal'
import { type FrameLinkOptions, frameLink } from '../dist/frame-link.js'
import { channelPair, type MemoryChannel } from './frame-pair.js'

export interface Linked {
  /** What the other end serves. */
  readonly remote: any
  /** The opener's end. */
  readonly near: Peer
  readonly far: Peer
  readonly channel: MemoryChannel
}

let number = 0

/** Opens what this thread serves from this thread, by frames. */
export async function linked(options: FrameLinkOptions & { readonly maxFrame?: number } = {}): Promise<Linked> {
  const [channel, other] = channelPair()
  if (options.maxFrame !== undefined) channel.maxFrame = other.maxFrame = options.maxFrame
  const far = serveOver(frameLink(other, { name: `opener ${++number}` }))
  const link = frameLink(channel, { name: `far ${number}`, ...options })
  const { peer, serves } = await openOver(link, { own: true, startTimeout: 10_000, what: 'The other end' })
  return { remote: remoteOf(peer, serves), near: peer, far: far.peer, channel }
}
