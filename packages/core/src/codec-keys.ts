/**
 * Lists of keys, as objects have them. A program's objects have few different ones, so each thread keeps
 * those that it met, encoded: a list that is known costs one comparison, not one a key.
 */

import type { Maker } from './codec-makers.js'

/** Lists of more or longer keys are encoded key by key. */
const MOST_KEYS = 255
const LONGEST_KEY = 127
const LONGEST_LIST = 1024

const PLACES = 512
/** Of so many lists that came more than once each is one object for good. */
const MOST_KEPT = 4096

/** A list and its bytes. */
export interface KeyList {
  readonly keys: readonly string[]
  /** All of them in one. */
  readonly joined: string
  readonly lengths: Uint8Array
  /** Of `joined` and `lengths`; 32 bits. */
  readonly hash: number
  /** Whether a key is `__proto__`, which plain assignment takes for something else. */
  readonly hasProto: boolean
  /** The encoding, or the link, that met it last, and its number there. */
  stamp: number
  number: number
  /** For the next time: which list the object in the place of each member had. */
  readonly below: Array<KeyList | undefined>
  /** Whether it has come more than once, and stays. What a program uses as a dictionary has other keys each time. */
  kept: boolean
  /** How many objects have come with it, until they were often. */
  came: number
  /** What makes them then. */
  maker: Maker | undefined
}

/** What `keys`, with these lengths, is known by. */
function hashOf(joined: string, lengths: Uint8Array): number {
  let hash = lengths.length
  for (let i = 0; i < joined.length; i++) hash = Math.imul(hash ^ joined.charCodeAt(i), 0x01000193)
  for (let i = 0; i < lengths.length; i++) hash = Math.imul(hash ^ lengths[i]!, 0x01000193)
  return hash >>> 0
}

function makeList(keys: readonly string[], joined: string): KeyList {
  const lengths = Uint8Array.from(keys, ({ length }) => length)
  const hasProto = keys.includes('__proto__')
  const hash = hashOf(joined, lengths)
  const below = keys.map(() => undefined)
  return { keys, joined, lengths, hash, hasProto, stamp: 0, number: 0, below, kept: false, came: 0, maker: undefined }
}

const met: Array<KeyList | undefined> = new Array<undefined>(PLACES).fill(undefined)
/** Those that stay, by their hash; and the hashes of some that came once. */
const kept = new Map<number, KeyList>()
const once = new Uint32Array(MOST_KEPT)

function sameKeys(list: KeyList, keys: readonly string[]): boolean {
  const count = keys.length
  if (list.keys.length !== count) return false
  for (let i = 0; i < count; i++) if (list.keys[i] !== keys[i]) return false
  return true
}

/** The list of an object's keys, which aren't none; undefined for one that is not kept. */
export function keyListOf(keys: readonly string[]): KeyList | undefined {
  const count = keys.length
  const first = keys[0]!
  const last = keys[count - 1]!
  const place =
    (count * 7 + first.charCodeAt(0) * 31 + first.length * 3 + last.charCodeAt(0) * 149 + last.length * 17) &
    (PLACES - 1)
  const known = met[place]
  if (known && sameKeys(known, keys)) {
    if (!known.kept) keepMet(known)
    return known
  }
  if (count > MOST_KEYS || keys.some(({ length }) => length > LONGEST_KEY)) return undefined
  const joined = keys.join('')
  return joined.length > LONGEST_LIST ? undefined : (met[place] = keptList(makeList(keys, joined)))
}

/** The one that stays, where there is such; else the list itself. */
function keptList(list: KeyList): KeyList {
  const { hash, keys } = list
  const known = kept.get(hash)
  if (known) return sameKeys(known, keys) ? known : list
  if (once[hash % MOST_KEPT] === hash) keepMet(list)
  else once[hash % MOST_KEPT] = hash
  return list
}

/** The list has come again: it stays, if there is room. */
export function keepMet(list: KeyList): void {
  if (kept.size >= MOST_KEPT || kept.has(list.hash)) return
  list.kept = true
  kept.set(list.hash, list)
}

const arrived: Array<KeyList | undefined> = new Array<undefined>(PLACES).fill(undefined)

/** The list that had this hash last. */
export function arrivedKeyList(hash: number): KeyList | undefined {
  return arrived[hash & (PLACES - 1)]
}

/** The string that the runtime keeps as that key: to set a member by another equal one takes twice as long. */
export function internedKey(key: string): string {
  return Object.keys({ [key]: 0 })[0]!
}

/** Keeps a list that arrived. Its keys are those that the runtime keeps, and no parts of `joined`. */
export function keepKeyList(joined: string, lengths: Uint8Array, hash: number): KeyList {
  const keys: string[] = []
  let at = 0
  for (const length of lengths) keys.push(internedKey(joined.slice(at, (at += length))))
  const list = makeList(keys, keys.join(''))
  // A hash that is another's would keep the list from being found.
  if (list.hash === hash) arrived[hash & (PLACES - 1)] = list
  return list
}
