/**
 * One process of an apartment, from its start to its end, and the link to it.
 *
 *   starting → serving   the other side's HELLO came
 *   any      → gone      its channel has closed, or it has ended; whichever is heard of first, what came before is received,
 *                        and the other is awaited until nothing was heard for `GRACE` ms, so that errors can say how it
 *                        ended; not by a thread that blocks
 *
 * Invariant: nothing of a process outlives its link. One whose channel closes, or that answers no more, is killed.
 */
import type { OpenOptions } from '@flatshare/apartment'
import { called, type OpenedOver, openOver, START_TIMEOUT } from '@flatshare/apartment/internal'
import { FlatshareError } from '@flatshare/core'
import { type ChildSource, refuseThreadOptions } from './child-options.js'
import { ControlChannel } from './control-channel.js'
import { frameLink } from './frame-link.js'
import { watchGuard } from './guard.js'
import type { RunningProcess } from './running-process.js'
import { type StartedChild, startChild } from './start-child.js'

const GRACE = 250

/** Why a process that a function has started doesn't serve. */
const OWN_PROCESS =
  "does its module import '@flatshare/process' and call serve()? What it exports is served by childProcess(url) alone. A " +
  'process that was started before that function was called, or whose env lacks what process.env has meanwhile, does not ' +
  'know its parent: let it call serveParent() as well.'

export interface ProcessLife extends OpenedOver {
  readonly running: RunningProcess
}

/**
 * Starts a process and connects to it. None is left behind where that fails.
 *
 * @throws as `Apartment.open`.
 */
export async function startLife(source: ChildSource, options: OpenOptions): Promise<ProcessLife> {
  refuseThreadOptions(options, typeof source.start === 'string')
  options.signal?.throwIfAborted()
  let started: StartedChild
  try {
    started = startChild(source, options)
  } catch (error) {
    if (error instanceof TypeError) throw error
    const message = error instanceof Error ? error.message : String(error)
    throw new FlatshareError(`${called(options.name)} did not start: ${message}`, { cause: error })
  }
  return connect(source, started, options)
}

/** Connects to a process that has been started. */
export async function connect(source: ChildSource, started: StartedChild, options: OpenOptions): Promise<ProcessLife> {
  const { name, startTimeout = START_TIMEOUT, signal, keepAlive = true } = options
  const { running } = started
  const what = called(name)
  const { channel, watch } = attend(started, source)
  running.hold(keepAlive)
  const isModule = typeof source.start === 'string'
  const hint = isModule ? 'is its module still waiting, by a top-level await?' : OWN_PROCESS
  const howEnded = () => {
    const { end, exit } = running
    return end && `${running.which} ${end}${isModule || exit?.code !== 0 ? '.' : `; ${OWN_PROCESS}`}`
  }
  const link = frameLink(channel, { name })
  try {
    const opened = await openOver(link, { own: true, name, startTimeout, signal, what, hint, howEnded })
    const which = name === undefined ? running.which : `${running.which} of "${name}"`
    opened.peer.howProcessEnded = () => running.end && `${which} ${running.end}`
    watch()
    return { ...opened, running }
  } catch (error) {
    running.kill('SIGKILL')
    await running.exited
    throw startFailure(error, what, running, channel)
  }
}

/** Says why it did not start, as far as the process itself, or its end, has told. */
function startFailure(error: unknown, what: string, running: RunningProcess, { failure }: ControlChannel): unknown {
  const cause = failure ?? running.startError
  if (cause) return new FlatshareError(`${what} did not start: ${cause.message}`, { cause })
  return error
}

/** Calls back once nothing has come for `GRACE` ms. */
function whenQuiet(control: ControlChannel, callback: () => void): void {
  const { heard } = control
  setTimeout(() => {
    // A thread that was busy for so long reads first.
    setImmediate(() => (control.heard === heard ? callback() : whenQuiet(control, callback)))
  }, GRACE).unref()
}

interface Attended {
  readonly channel: ControlChannel
  /** Begins to ask it for signs of life: once it serves, as its module may take long to load. */
  watch(): void
}

/** Joins the ends of a process and of its channel. */
function attend(started: StartedChild, { settings }: ChildSource): Attended {
  const { running, guard } = started
  const { heartbeat } = settings
  let over = false
  let stopGuard: (() => void) | undefined
  const end = (error: Error | undefined) => {
    if (over) return
    over = true
    stopGuard?.()
    running.kill('SIGKILL')
    control.end(error ?? running.failure)
  }
  const control: ControlChannel = new ControlChannel(started.channel, {
    other: running.name,
    heartbeat: heartbeat?.of === 'thread' ? heartbeat : undefined,
    onClosed: (error) => {
      // That a pipe is broken says less than how the process has ended.
      const broken = error === undefined || 'syscall' in error
      const after = () => end(broken && running.exit ? running.failure : error)
      // A thread that blocks can't hear how the process has ended: it hears at once that it has.
      if (running.exit || !broken || control.draining) after()
      else {
        whenQuiet(control, after)
        void running.exited.then(after)
      }
      return true
    },
  })
  void running.exited.then(() => {
    if (control.drain) {
      control.drain()
      setImmediate(() => end(undefined))
    } else {
      whenQuiet(control, () => end(undefined))
    }
  })
  const watch = () => {
    control.watch()
    if (!guard || !heartbeat || over) return
    stopGuard = watchGuard(guard, heartbeat, (timeout) =>
      control.destroy(new FlatshareError(`${running.name} has not answered for ${timeout} ms: it is stopped.`)),
    )
  }
  return { channel: control, watch }
}
