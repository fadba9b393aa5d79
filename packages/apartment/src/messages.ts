/**
 * What is said on a link, as tuples, because structured clone writes their members without names.
 *
 *   caller → home   CALL, then one ANSWER or FAILURE back, unless none is wanted; CANCEL while it is awaited
 *   holder → home   RELEASE: so many arrivals of that reference are let go
 *   holder → home   LINK: another thread, at the other end of that port, will hold that reference
 *   either          HELLO, first from each end that didn't make the port: who is there, and, if asked, what it serves
 *   opener → home   CLOSE: serve nothing new, finish, and end the thread
 *   caller → home   ASK, by a thread that has been blocked on that call for long; answered by WAITING, unless the
 *                   home thread computes, or is blocked itself
 *   either          RING, REST: of the link itself (`shared-link.ts`)
 *   either          LOST: a message of the other end couldn't be read; these calls are awaited here. Answered by
 *                   a FAILURE of each that isn't served there, and by LOST with the calls that are awaited there
 *
 * Invariants: messages of one link arrive in the order sent; a reference is counted once for each time
 * that it was sent, and RELEASE says how many arrivals it lets go, so that one in flight is never lost to
 * a release that crosses it.
 */
import type { CallId, PackedReference, Port, SynchronousMember, ThreadId } from '@flatshare/core/internal'

export const HELLO = 0
export const CALL = 1
export const ANSWER = 2
export const FAILURE = 3
export const CANCEL = 4
export const RELEASE = 5
export const LINK = 6
export const CLOSE = 7
export const LOST = 8
export const ASK = 9
export const WAITING = 10
/** `[RING, ring, thread]`: from now on this end writes to that ring. */
export const RING = 11
/** `[REST, records]`: what that ring had no room for, the last of it. */
export const REST = 12

/**
 * How a call reaches its target: a method, a getter, a setter, the target itself being a function, a class to make; or nothing of
 * it but its turn, by which the caller learns that earlier calls have ended.
 */
export type How = 'call' | 'get' | 'set' | 'apply' | 'create' | 'idle'

/** What errors call a call. */
export function labelOf(target: string, how: How, member: string): string {
  if (how === 'create') return `new ${member}()`
  if (how === 'apply') return `${target}()`
  if (how === 'get') return `${target}.${member}`
  return how === 'set' ? `${target}.${member} = …` : `${target}.${member}()`
}

/** What a thread tells of a kind of object: who has only its number has been told before. */
export type About = [
  description: number,
  name?: string,
  methods?: readonly string[],
  getters?: readonly string[],
  setters?: readonly string[],
  generators?: readonly string[],
  synchronous?: readonly SynchronousMember[],
]

/** What a thread serves by name. */
export type Directory = About

export type HelloMessage = [kind: typeof HELLO, thread: ThreadId, name: string, serves?: Directory]
export type CallMessage = [
  kind: typeof CALL,
  object: number,
  how: How,
  member: string,
  path: readonly CallId[],
  args: unknown,
  refs: PackedReference[] | undefined,
  deadline: number | undefined,
  /** Of a call that its caller may give up before any deadline: see `call-cells.ts`. */
  cell?: number | undefined,
  turn?: number | undefined,
  /** True where the caller awaits no answer. */
  oneWay?: boolean,
]
export type AnswerMessage = [
  kind: typeof ANSWER | typeof FAILURE,
  call: CallId,
  value: unknown,
  refs: PackedReference[] | undefined,
]
export type CancelMessage = [
  kind: typeof CANCEL,
  call: CallId,
  timedOut: boolean,
  /** The reason of the caller's signal, where that can cross. */
  reason?: unknown,
  refs?: PackedReference[] | undefined,
]
/** A message that carries a value: its places for that, and for the references in it, are empty until its link fills them. */
export type CarryingMessage = CallMessage | AnswerMessage | CancelMessage

/** Where such a message has the place for its value; the one for the references follows. */
export function carriedAt(message: CarryingMessage): number {
  if (message[0] === CALL) return 5
  return message[0] === CANCEL ? 3 : 2
}

export type ReleaseMessage = [kind: typeof RELEASE, object: number, arrivals: number]
export type LinkMessage = [kind: typeof LINK, object: number, port: Port]
export type CloseMessage = [kind: typeof CLOSE]
export type LostMessage = [kind: typeof LOST, awaited: readonly CallId[], first: boolean]
export type AskMessage = [kind: typeof ASK, call: CallId]
export type WaitingMessage = [kind: typeof WAITING, call: CallId, what: string]
export type Message =
  | HelloMessage
  | CallMessage
  | AnswerMessage
  | CancelMessage
  | ReleaseMessage
  | LinkMessage
  | CloseMessage
  | LostMessage
  | AskMessage
  | WaitingMessage
