/** Starting a child, and its channel. */
import { ChildProcess, spawn } from 'node:child_process'
import type { Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { OpenOptions } from '@flatshare/apartment'
import { refusePromise } from '@flatshare/apartment/internal'
import type { FrameChannel } from './channel.js'
import type { ChildSource } from './child-options.js'
import { GUARD_DESCRIPTOR } from './guard.js'
import { IpcChannel } from './ipc-channel.js'
import { addressFor, addressing } from './parent-address.js'
import { RunningProcess } from './running-process.js'
import { StreamChannel } from './stream-channel.js'

/** What the host of a child is told, as the one argument that is taken from it again. */
export interface HostArguments {
  readonly module: string
  readonly name?: string | undefined
  readonly guarded: boolean
}

export interface StartedChild {
  readonly running: RunningProcess
  readonly channel: FrameChannel
  /** The pipe to the guard, where the child has one. */
  readonly guard?: Socket | undefined
}

const LINK_DESCRIPTOR = 3

/** Flags that are for one program, or one debugger, and not for another. */
const NOT_INHERITED =
  /^(-e|--eval|-p|--print|-pe|-i|--interactive|-c|--check|--test|--watch|--inspect.*|--input-type.*)$/
const WITH_TEXT = /^(-e|--eval|-p|--print|-pe)$/

function inheritedFlags(): string[] {
  const flags: string[] = []
  for (let i = 0; i < process.execArgv.length; i++) {
    const flag = process.execArgv[i]!
    if (WITH_TEXT.test(flag)) i++
    else if (!NOT_INHERITED.test(flag.split('=')[0]!)) flags.push(flag)
  }
  return flags
}

/** Starts a child. What the system, or the user's function, throws is thrown; an absent program is found out later. */
export function startChild({ start, options, settings }: ChildSource, opening: OpenOptions): StartedChild {
  if (typeof start === 'function') return channelOf(checkedProcess(addressing(start)), settings.maxFrame)
  const { name, env = process.env, stdout, stderr } = opening
  const { args = [], execArgv = inheritedFlags(), execPath = process.execPath, cwd } = options
  const guarded = settings.heartbeat?.of === 'process'
  const host: HostArguments = { module: start, name, guarded }
  const hostModule = fileURLToPath(new URL('./host.js', import.meta.url))
  const child = spawn(execPath, [...execArgv, hostModule, JSON.stringify(host), ...args], {
    cwd,
    env: { ...(env as NodeJS.ProcessEnv), ...addressFor(LINK_DESCRIPTOR) },
    stdio: [
      'ignore',
      stdout ? 'pipe' : 'inherit',
      stderr ? 'pipe' : 'inherit',
      'pipe',
      ...(guarded ? (['pipe'] as const) : []),
    ],
    windowsHide: true,
  })
  const { running, channel } = channelOf(child, settings.maxFrame, LINK_DESCRIPTOR)
  return { running, channel, guard: (child.stdio[GUARD_DESCRIPTOR] as Socket | undefined) ?? undefined }
}

/** @throws TypeError for what is no process. */
function checkedProcess(started: unknown): ChildProcess {
  refusePromise(started)
  if (started instanceof ChildProcess) return started
  throw new TypeError('The function given to childProcess gives no process: it returns what fork or spawn gave it.')
}

/**
 * The channel to a process: its IPC channel where it was forked with one, else the first pipe beyond its standard streams.
 *
 * @throws TypeError where it has neither.
 */
export function channelOf(child: ChildProcess, maxFrame: number, descriptor?: number): StartedChild {
  const running = new RunningProcess(child)
  if (descriptor === undefined && child.channel) return { running, channel: new IpcChannel(child, maxFrame) }
  const pipe = (child.stdio as ReadonlyArray<unknown>).find((stream, i) => i >= (descriptor ?? 3) && isDuplex(stream))
  if (pipe) return { running, channel: new StreamChannel(pipe as Socket, { what: 'pipe', maxFrame }) }
  if (child.pid === undefined) return { running, channel: new NoChannel() }
  child.kill('SIGKILL')
  throw new TypeError(
    'The process has no channel to this one: fork it, or spawn it with one more pipe than its standard streams, as ' +
      "stdio: ['ignore', 'inherit', 'inherit', 'pipe'].",
  )
}

function isDuplex(stream: unknown): boolean {
  return typeof (stream as Socket | null)?.write === 'function' && typeof (stream as Socket).read === 'function'
}

/** Of a process that could not be started. */
class NoChannel implements FrameChannel {
  readonly what = 'pipe'
  readonly maxFrame = 0
  readonly writable = true
  start(receiver: { closed(): void }): void {
    setImmediate(() => receiver.closed())
  }
  send(): void {}
  whenWritable(callback: () => void): void {
    setImmediate(callback)
  }
  hold(): void {}
  close(): void {}
  destroy(): void {}
}
