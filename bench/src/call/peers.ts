import type { Peer, StartedPeer } from './peer.js'
import { bareRing } from './peers/bare-ring.js'
import { birpc } from './peers/birpc.js'
import { capnweb } from './peers/capnweb.js'
import { coincident } from './peers/coincident.js'
import { comlink } from './peers/comlink.js'
import { flatshare, flatshareByPort } from './peers/flatshare.js'
import { piscina } from './peers/piscina.js'
import { postMessage } from './peers/post-message.js'
import { receivingOnPort } from './peers/receive-message-on-port.js'
import { synckit } from './peers/synckit.js'
import { threads } from './peers/threads.js'
import { workerpool } from './peers/workerpool.js'

/** All of them. The first is the one that the others are compared with. */
export const allPeers: readonly Peer[] = [
  flatshare,
  flatshareByPort,
  comlink,
  threads,
  workerpool,
  piscina,
  birpc,
  capnweb,
  coincident,
  synckit,
  receivingOnPort,
  postMessage,
  bareRing,
]

/** Started peers that can do all that a benchmark wants. */
export interface Peers<Wanted extends keyof StartedPeer> {
  readonly peers: ReadonlyArray<{ peer: Peer; started: StartedPeer & Required<Pick<StartedPeer, Wanted>> }>
  close(): Promise<void>
}

/** Starts them all, each with a worker of its own, and ends at once those that can't do what is wanted. */
export async function startPeers<Wanted extends keyof StartedPeer>(
  wanted: readonly Wanted[],
  candidates: readonly Peer[] = allPeers.filter(({ role }) => role !== 'variant'),
): Promise<Peers<Wanted>> {
  const peers: { peer: Peer; started: StartedPeer & Required<Pick<StartedPeer, Wanted>> }[] = []
  for (const peer of candidates) {
    const started = await peer.start()
    if (canAll(started, wanted)) peers.push({ peer, started })
    else await started.close()
  }
  return { peers, close: async () => void (await Promise.all(peers.map(({ started }) => started.close()))) }
}

function canAll<Wanted extends keyof StartedPeer>(
  started: StartedPeer,
  wanted: readonly Wanted[],
): started is StartedPeer & Required<Pick<StartedPeer, Wanted>> {
  return wanted.every((name) => started[name] !== undefined)
}
