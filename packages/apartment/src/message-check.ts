/**
 * Whether what came by a link is a message. The other end may be of another version, or anybody with the port: what it
 * sends ends in an error or in nothing, never in a crash or a loop without end. What a message carries is checked where
 * it is unpacked, what it names where it is looked up.
 */
import { isPort } from '@flatshare/core/internal'
import {
  ANSWER,
  ASK,
  CALL,
  CANCEL,
  CLOSE,
  FAILURE,
  HELLO,
  type How,
  LINK,
  LOST,
  type Message,
  RELEASE,
  WAITING,
} from './messages.js'

/** No list of a message is longer; a sparse array costs its sender nothing, and who walks it for ever. */
const LONGEST_LIST = 0xff_ffff
const LONGEST_PATH = 0xffff

const hows: ReadonlySet<unknown> = new Set<How>(['call', 'get', 'set', 'apply', 'create', 'idle'])

type Check = (message: unknown[]) => boolean

const isId = (x: unknown): boolean => Number.isSafeInteger(x)
const isText = (x: unknown): boolean => typeof x === 'string'
const isOptional = (x: unknown, type: string): boolean => x === undefined || typeof x === type

function isIds(x: unknown, longest: number): boolean {
  return Array.isArray(x) && x.length <= longest && x.every(isId)
}

function isReferences(x: unknown): boolean {
  return x === undefined || (Array.isArray(x) && x.length <= LONGEST_LIST && x.every(isPackedReference))
}

function isPackedReference(x: unknown): boolean {
  return Array.isArray(x) && typeof x[0] === 'object' && x[0] !== null && isText(x[1])
}

const isAnswer: Check = ([, call, , refs]) => isId(call) && isReferences(refs)

const checks: readonly Check[] = Object.assign([], {
  [HELLO]: ([, thread, name, serves]: unknown[]) =>
    isId(thread) && (thread as number) > 0 && isText(name) && (serves === undefined || Array.isArray(serves)),
  [CALL]: ([, object, how, member, path, args, refs, deadline, cell, turn, oneWay]: unknown[]) =>
    isId(object) &&
    hows.has(how) &&
    isText(member) &&
    isIds(path, LONGEST_PATH) &&
    (path as unknown[]).length > 0 &&
    Array.isArray(args) &&
    isReferences(refs) &&
    isOptional(deadline, 'number') &&
    isOptional(cell, 'number') &&
    isOptional(turn, 'number') &&
    isOptional(oneWay, 'boolean'),
  [ANSWER]: isAnswer,
  [FAILURE]: isAnswer,
  [CANCEL]: ([, call, timedOut, , refs]: unknown[]) =>
    isId(call) && typeof timedOut === 'boolean' && isReferences(refs),
  [RELEASE]: ([, object, arrivals]: unknown[]) => isId(object) && isId(arrivals) && (arrivals as number) > 0,
  [LINK]: ([, object, port]: unknown[]) => isId(object) && isPort(port),
  [CLOSE]: () => true,
  [LOST]: ([, awaited, first]: unknown[]) => isIds(awaited, LONGEST_LIST) && typeof first === 'boolean',
  [ASK]: ([, call]: unknown[]) => isId(call),
  [WAITING]: ([, call, what]: unknown[]) => isId(call) && isText(what),
} satisfies Record<number, Check>)

export function isMessage(x: unknown): x is Message {
  if (!Array.isArray(x)) return false
  const [kind] = x as unknown[]
  // Anything else would name a member of every array.
  return typeof kind === 'number' && checks[kind]?.(x) === true
}

/** The call that a message without sense may have been meant for, so that its caller needn't wait for ever. */
export function callMeant(x: unknown): number | undefined {
  if (!Array.isArray(x) || x[0] !== CALL || !Array.isArray(x[4])) return undefined
  const path = x[4] as unknown[]
  const id = path[path.length - 1]
  return isId(id) ? (id as number) : undefined
}
