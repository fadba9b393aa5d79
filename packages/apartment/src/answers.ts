/** Answers to calls. Whatever a call gave or threw, its caller gets an answer. */
import { NotMarshalableError } from '@flatshare/core'
import type { CallId } from '@flatshare/core/internal'
import { cannotCross, carryFailure } from './crossing.js'
import { ANSWER, type AnswerMessage, type CarryingMessage, FAILURE } from './messages.js'

/** The thread that called, as far as answering goes. */
export interface AnsweredPeer {
  /** Calls of this peer that are not answered yet. */
  readonly serving: { get(id: CallId): unknown }
  carry(message: CarryingMessage, value: unknown): void
}

/** A call, as far as answering it goes. */
interface Answered {
  readonly id: CallId
  /** What errors call it. */
  readonly label: string
}

/** A message that nobody uses just now: no link keeps one. */
let spare: AnswerMessage | undefined = [ANSWER, 0, undefined, undefined]

export function sendAnswer(peer: AnsweredPeer, call: Answered, value: unknown): void {
  const message: AnswerMessage = spare ?? [ANSWER, 0, undefined, undefined]
  // Packing the value may run code of users, which may answer.
  spare = undefined
  message[1] = call.id
  try {
    peer.carry(message, value)
  } catch (error) {
    sendUnsendable(peer, call, error)
  } finally {
    spare = message
  }
}

function sendUnsendable(peer: AnsweredPeer, call: Answered, error: unknown): void {
  sendFailure(peer, call, () => cannotCross(error, `${call.label}: its result`))
}

/** Packing what was thrown runs code of its own, which may throw as well: the call must settle all the same. */
export function sendFailure(peer: AnsweredPeer, call: Answered, thrown: () => unknown): void {
  const { id } = call
  try {
    carryFailure(() => peer.carry([FAILURE, id, undefined, undefined], thrown()))
  } catch (reason) {
    const why = `${call.label}: what it threw`
    try {
      peer.carry([FAILURE, id, undefined, undefined], cannotCross(reason, why))
    } catch {
      const error = new NotMarshalableError(`${why} can't cross to another thread, nor can the reason why.`)
      peer.carry([FAILURE, id, undefined, undefined], error)
    }
  }
}

/** The same for a call of which nothing is known here. */
export function sendFailureOf(peer: AnsweredPeer, id: CallId, error: unknown): void {
  sendFailure(peer, { id, label: 'The call' }, () => error)
}

/**
 * Of the calls that the other end awaits, those that aren't served here never came, or were answered: an
 * answer that wasn't lost has arrived there before this failure, which then finds nobody waiting.
 */
export function failLost(peer: AnsweredPeer, awaited: readonly CallId[]): void {
  for (const call of awaited) {
    if (peer.serving.get(call)) continue
    const message =
      'The call or its answer could not be read where it arrived: what it carries is nested too deeply for ' +
      'the stack of that thread, or of a kind that is not known there. The call may or may not have run.'
    sendFailureOf(peer, call, new NotMarshalableError(message))
  }
}
