/** The other side: this process as a child, whose parent has opened it as an apartment. */
import { Socket } from 'node:net'
import { flushLinks, serveOver } from '@flatshare/apartment/internal'
import { FlatshareError } from '@flatshare/core'
import { holdOpen } from '@flatshare/core/internal'
import type { FrameChannel } from './channel.js'
import { checkedFrame, MAX_FRAME } from './child-options.js'
import { ControlChannel } from './control-channel.js'
import { frameLink } from './frame-link.js'
import { IpcChannel } from './ipc-channel.js'
import { takeParentAddress } from './parent-address.js'
import { StreamChannel } from './stream-channel.js'

/** Where the channel to the parent is, for a process that isn't told by its environment. */
export interface ServeParentOptions {
  /** The number of the pipe's descriptor: the place that it has in the parent's `stdio`. */
  descriptor?: number
  /** The longest frame that goes to the parent or comes from it, in bytes: 256 MiB by default. */
  maxFrame?: number
}

/** The link to the parent. */
export interface Parent {
  /** Says that nothing more is served than is served now. */
  greet(): void
  /** Says why this process can't serve, and ends the link. */
  fail(error: unknown): void
  /** Keeps this process alive until the parent ends the link. */
  stay(): void
}

let parent: Parent | undefined

/**
 * Serves the process that started this one, as soon as `serve` is called. Most programs needn't call it: importing
 * `@flatshare/process` does, in a process that `Apartment.open` has started. It is for one whose environment was not handed
 * on: where the parent gave `env` without its own variables. Again it does nothing.
 *
 * This process ends as soon as its parent closes the apartment, or is gone.
 *
 * @throws FlatshareError where there is neither an IPC channel nor such a pipe.
 * @throws TypeError and RangeError for options that are none.
 * @example
 * serveParent({ descriptor: 3 })
 * serve({ Indexer })
 */
export function serveParent(options: ServeParentOptions = {}): void {
  const { descriptor, maxFrame = MAX_FRAME } = options
  if (descriptor !== undefined && !(Number.isInteger(descriptor) && descriptor >= 0)) {
    throw new TypeError('descriptor is the number of a pipe, as the parent gave it by its stdio.')
  }
  checkedFrame(maxFrame)
  if (parent) return
  if (descriptor === undefined && !process.channel) {
    throw new FlatshareError(
      'This process has no IPC channel: it was not forked. If it was spawned with a pipe, name it: serveParent({ descriptor: 3 }).',
    )
  }
  serveAt(descriptor ?? 'ipc', maxFrame).stay()
}

/** The link to the parent, where this process was started by one that opens it. */
export function parentLink(): Parent | undefined {
  if (parent) return parent
  const address = takeParentAddress()
  return address === undefined ? undefined : serveAt(address, MAX_FRAME)
}

function serveAt(address: number | 'ipc', maxFrame: number): Parent {
  const below: FrameChannel =
    address === 'ipc'
      ? new IpcChannel(process, maxFrame)
      : new StreamChannel(new Socket({ fd: address }), { what: 'pipe', maxFrame })
  const channel = new ControlChannel(below, { other: 'The parent process' })
  let stays = false
  const served = serveOver(frameLink(channel, { takesName: true }), {
    own: true,
    onCloseAsked: end,
    onEnd: end,
  })
  // What ends this process, its parent shall know.
  const report = (error: unknown) => {
    flushLinks()
    channel.fail(error)
  }
  process.on('uncaughtExceptionMonitor', report)
  parent = {
    greet: () => served.greet(),
    fail: (error) => {
      served.fail(error)
      flushLinks()
      channel.close()
    },
    stay: () => {
      // For good: this process ends with the link.
      if (!stays) holdOpen()
      stays = true
    },
  }
  return parent
}

/** The parent has closed the apartment, or is gone: nobody is there whom this process could serve. */
function end(): void {
  process.exit()
}
