/**
 * The two ends of a link that was made by other means than a worker or a port, as one to another process.
 *
 *   opener → server   HELLO, with what this thread serves, if the other one is its own
 *   server → opener   HELLO, with what it serves, once it does
 *
 * Each is sent as soon as its sender has it to say; the link keeps what comes early.
 */
import { FlatshareError } from '@flatshare/core'
import { abortReason, checkedTimeout, soon, startTimer, timeoutError } from '@flatshare/core/internal'
import { noteMet } from './introduce.js'
import type { Link } from './link.js'
import type { Directory } from './messages.js'
import { Peer } from './peer.js'
import { whenAllAnswered } from './peers.js'
import { proxyApart } from './proxy.js'
import { learn } from './remote-description.js'
import { directory, servesAnything } from './serve-table.js'
import { ROOT } from './stub.js'
import { flushLinks } from './unsent.js'

export interface OpenOverSettings {
  /** Whether the other thread is this one's to end: then it hears of what this one serves. */
  readonly own: boolean
  /** What errors call the thread here. */
  readonly name?: string | undefined
  /** Milliseconds. */
  readonly startTimeout: number
  readonly signal?: AbortSignal | undefined
  /** What errors call the other side. */
  readonly what: string
  /** Why it may not have begun to serve. */
  readonly hint?: string
  /** How it has ended, as a clause for the error that it ended too early; undefined where that isn't known. */
  readonly howEnded?: () => string | undefined
}

/** A link that stands, and what the other thread serves. */
export interface OpenedOver {
  readonly peer: Peer
  readonly serves: Directory
}

/**
 * Begins on a link, and waits until the other side serves.
 *
 * @throws FlatshareError when the link ends before that, or it doesn't begin in time. The link is closed then.
 * @throws the signal's reason when that fires first.
 */
export async function openOver(link: Link, settings: OpenOverSettings): Promise<OpenedOver> {
  const { own, name, signal, what, hint = 'does its module call serve()?', howEnded } = settings
  const startTimeout = checkedTimeout(settings.startTimeout, 'startTimeout')
  if (signal?.aborted) {
    link.close()
    throw abortReason(signal)
  }
  return new Promise((resolve, reject) => {
    let ended: unknown
    const peer = new Peer(link, {
      // This thread has chosen whom it opens.
      trusted: true,
      onEnd() {
        const options = ended === undefined ? undefined : { cause: ended }
        const how = howEnded?.()
        fail(
          new FlatshareError(`${what} ended before it began to serve${how === undefined ? '.' : `: ${how}`}`, options),
        )
      },
    })
    peer.onFailed = (error) => {
      const message = error instanceof Error ? error.message : String(error)
      fail(new FlatshareError(`${what} did not start: ${message}`, { cause: error }))
    }
    peer.onEnding = (cause) => {
      ended = cause
    }
    let settled = false
    const settle = () => {
      settled = true
      stopTimer()
      signal?.removeEventListener('abort', aborted)
      link.hold(peer.calls.busy)
    }
    const fail = (error: unknown) => {
      settle()
      reject(error as Error)
      peer.leave()
    }
    const aborted = () => fail(abortReason(signal!))
    const tooLate = () => {
      if (settled) return
      const cause = timeoutError(`No answer within ${startTimeout} ms.`)
      fail(new FlatshareError(`${what} has not begun to serve within ${startTimeout} ms: ${hint}`, { cause }))
    }
    // A thread that was itself busy, or stopped, for so long reads first what has come.
    const stopTimer = startTimer(startTimeout, () => soon(tooLate))
    signal?.addEventListener('abort', aborted, { once: true })
    // Whoever opens it waits, and nothing else may keep this thread.
    link.hold(true)
    peer.onHello = (serves) => {
      if (name !== undefined) peer.name = name
      noteMet(peer, serves)
      if (!serves) return
      settle()
      resolve({ peer, serves })
    }
    peer.hello(own ? directory() : undefined)
  })
}

/** Links whose other end has not been told what this thread serves. */
const early = new Set<Peer>()

/** Tells those at the other end of links what this thread serves now. */
export function greetOverLinks(): void {
  for (const peer of early) greet(peer)
}

function greet(peer: Peer): void {
  if (early.delete(peer) && !peer.gone) peer.hello(directory())
}

export interface ServeOverSettings {
  /** The other side has opened this thread: it may end it, and have it load modules that create what it wants. */
  readonly own?: boolean
  /** The other side, whose own this thread is, has asked it to end, and all its calls are answered. */
  readonly onCloseAsked?: () => void
  /** The link has ended. */
  readonly onEnd?: () => void
}

/**
 * Serves by a link what this thread serves, as soon as it serves something. `greet` says that it won't be more, `fail`
 * why it can't.
 */
export function serveOver(
  link: Link,
  { own = false, onCloseAsked, onEnd }: ServeOverSettings = {},
): { readonly peer: Peer; greet(): void; fail(error: unknown): void } {
  const peer = new Peer(link, {
    mayLoad: own,
    trusted: own,
    onEnd() {
      early.delete(peer)
      onEnd?.()
    },
  })
  peer.onHello = (serves) => noteMet(peer, serves)
  if (own && onCloseAsked) {
    peer.onCloseAsked = () =>
      whenAllAnswered(() => {
        flushLinks()
        onCloseAsked()
      })
  }
  early.add(peer)
  if (servesAnything()) soon(() => greet(peer))
  return { peer, greet: () => greet(peer), fail: (error) => peer.sendFailed(error) }
}

/** The proxy of what the other thread serves by name. */
export function remoteOf(peer: Peer, serves: Directory): object {
  return proxyApart(peer.threadId, ROOT, learn(peer.threadId, serves), peer)
}
