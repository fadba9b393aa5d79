/**
 * Messages as records of a ring.
 *
 *   MESSAGE          the tuple, encoded
 *   NAME             a text, encoded: from now on known by the next number
 *   CALL             call id f64 │ object i32 │ how, flags, number of the member's name (8, 8, 16 bits)
 *                    the calls that led to it, if any: how many, f64 │ their ids, f64
 *                    deadline f64 │ cell i32 │ turn i32, where flags say so
 *                    the arguments, encoded
 *   ANSWER, FAILURE  call id f64 │ the value, encoded
 *   CANCEL           call id f64 │ timed out f64 │ the reason, encoded
 *   PORT             nothing: the next message is the next one of the port
 *
 * Every field lies at a multiple of its length, and the encoded value at a multiple of 8.
 */
import { type CallId, views } from '@flatshare/core/internal'
import {
  ANSWER,
  type AnswerMessage,
  CALL,
  CANCEL,
  type CallMessage,
  type CarryingMessage,
  FAILURE,
  type How,
} from './messages.js'

// A message that carries a value has the kind of its record.
export const MESSAGE = 16
export const NAME = 17
export const PORT = 18
/** With any of them: decoding the value may run code of users, which may block and receive what follows. */
export const RUNS_CODE = 32

/** Engines compile in what a module's constants hold. */
const memory = views

const hows: readonly How[] = ['call', 'get', 'set', 'apply', 'create', 'idle']

const HOW_BITS = 0xff
const HAS_PATH = 1 << 8
const HAS_DEADLINE = 1 << 9
const HAS_CELL = 1 << 10
const ONE_WAY = 1 << 11
const NAME_SHIFT = 16
/** How many names have a number. */
export const MOST_NAMES = 1 << 15

/** How many bytes the head of a message takes, before its value. */
export function headBytes(message: CarryingMessage): number {
  if (message[0] === CALL) {
    const { length } = message[4]
    return 16 + (length > 1 ? length * 8 : 0) + (message[7] === undefined ? 0 : 8) + (message[8] === undefined ? 0 : 8)
  }
  return message[0] === CANCEL ? 16 : 8
}

/** Writes the head of a message; gives the address behind. `name` is the number of a call's member. */
export function writeHead(at: number, message: CarryingMessage, name: number): number {
  const { f64 } = memory
  if (message[0] === CALL) return writeCall(at, message, name)
  f64[at >> 3] = message[1]
  if (message[0] !== CANCEL) return at + 8
  f64[(at + 8) >> 3] = message[2] ? 1 : 0
  return at + 16
}

function writeCall(at: number, message: CallMessage, name: number): number {
  const { f64, i32 } = memory
  const [, object, how, , path, , , deadline, cell, turn, oneWay] = message
  const last = path.length - 1
  let word = hows.indexOf(how) | (name << NAME_SHIFT)
  f64[at >> 3] = path[last]!
  i32[(at + 8) >> 2] = object
  const wordAt = (at + 12) >> 2
  at += 16
  if (last > 0) {
    word |= HAS_PATH
    f64[at >> 3] = last
    for (let i = 0; i < last; i++) f64[(at += 8) >> 3] = path[i]!
    at += 8
  }
  if (deadline !== undefined) {
    word |= HAS_DEADLINE
    f64[at >> 3] = deadline
    at += 8
  }
  if (cell !== undefined) {
    word |= HAS_CELL
    i32[at >> 2] = cell
    i32[(at + 4) >> 2] = turn!
    at += 8
  }
  if (oneWay) word |= ONE_WAY
  i32[wordAt] = word
  return at
}

/** Where the value of the head that was read last begins. */
export let valueAt = 0

// The messages that come most, each in one tuple for all.
const call: CallMessage = [CALL, 0, 'call', '', [], undefined, undefined, undefined, undefined, undefined, false]
const answer: AnswerMessage = [ANSWER, 0, undefined, undefined]

/**
 * Reads the head of a message with this value, `names` being the members' names by their numbers. What it gives stays as
 * it is until the next head is read, which any code of users may lead to.
 */
export function readHead(kind: number, at: number, names: readonly string[], value: unknown): CarryingMessage {
  const { f64 } = memory
  if (kind === CALL) return readCall(at, names, value)
  const id = f64[at >> 3]!
  valueAt = at + 8
  if (kind === ANSWER || kind === FAILURE) {
    answer[0] = kind
    answer[1] = id
    answer[2] = value
    return answer
  }
  valueAt = at + 16
  return [CANCEL, id, f64[(at + 8) >> 3] !== 0, value, undefined]
}

function readCall(at: number, names: readonly string[], value: unknown): CallMessage {
  const { f64, i32 } = memory
  const id = f64[at >> 3]!
  const object = i32[(at + 8) >> 2]!
  const word = i32[(at + 12) >> 2]!
  at += 16
  let path: CallId[]
  if (word & HAS_PATH) {
    path = []
    for (let left = f64[at >> 3]!; left > 0; left--) path.push(f64[(at += 8) >> 3]!)
    path.push(id)
    at += 8
  } else path = [id]
  call[1] = object
  call[2] = hows[word & HOW_BITS]!
  call[3] = names[word >>> NAME_SHIFT]!
  call[4] = path
  call[5] = value
  call[7] = call[8] = call[9] = undefined
  if (word & HAS_DEADLINE) {
    call[7] = f64[at >> 3]!
    at += 8
  }
  if (word & HAS_CELL) {
    call[8] = i32[at >> 2]!
    call[9] = i32[(at + 4) >> 2]!
    at += 8
  }
  call[10] = (word & ONE_WAY) !== 0
  valueAt = at
  return call
}
