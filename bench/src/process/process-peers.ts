import type { Peer } from '../call/peer.js'
import { comlink } from './peers/comlink.js'
import { flatshare, flatshareByIpc } from './peers/flatshare.js'
import { processSend, processSendAdvanced } from './peers/process-send.js'

/** Ways to call another process. The first is the one that the others are compared with. */
export const processPeers: readonly Peer[] = [flatshare, flatshareByIpc, comlink, processSend, processSendAdvanced]
