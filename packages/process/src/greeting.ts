/**
 * The first frame each way, which is JSON, so that any other version, and any other program, is told from this one:
 *
 *   { flatshare: 1, process, pid, thread, name, call? }    `call`: what the opener wants the other thread to be called
 */
import { ownThreadId, processId, processName, type ThreadHome, threadName } from '@flatshare/core/internal'
import { Nonsense } from './translate.js'

const VERSION = 1
/** No first frame is longer. */
const LONGEST_GREETING = 4096
const LONGEST_NAME = 256

/** What is said first. */
export function greeting(call: string | undefined): Uint8Array {
  const thread = ownThreadId()
  const said = { flatshare: VERSION, process: processName(), pid: processId, thread, name: threadName(thread), call }
  return new TextEncoder().encode(JSON.stringify(said))
}

export interface Greeting extends ThreadHome {
  readonly call: string | undefined
}

/** @throws Nonsense for anything else. */
export function readGreeting(frame: Uint8Array): Greeting {
  let said: Partial<Record<string, unknown>> | undefined
  // What isn't JSON was sent by something else.
  if (frame.length <= LONGEST_GREETING && frame[0] === 0x7b) {
    try {
      said = JSON.parse(new TextDecoder().decode(frame)) as Partial<Record<string, unknown>>
    } catch {
      said = undefined
    }
  }
  if (said?.flatshare === undefined) throw new Nonsense('What is at the other end does not speak as Flatshare does')
  if (said.flatshare !== VERSION) {
    throw new Nonsense(
      `The other end speaks version ${String(said.flatshare)} of the protocol, this one version ${VERSION}`,
    )
  }
  const { process, pid, thread, name, call } = said
  const isName = (x: unknown): x is string => typeof x === 'string' && x.length > 0 && x.length <= LONGEST_NAME
  const isNumber = (x: unknown): x is number => Number.isSafeInteger(x) && (x as number) > 0
  if (!isName(process) || !isNumber(thread) || !isName(name) || (pid !== undefined && !isNumber(pid)))
    throw new Nonsense('What is at the other end has not said who it is')
  return { process, pid, thread, name, call: isName(call) ? call : undefined }
}
