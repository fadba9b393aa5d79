/**
 * Lists of keys, as objects have them. A program's objects have few different ones, so each thread keeps
 * those that it met, encoded: a list that is known costs one comparison, not one a key.
 */

/** Lists of more or longer keys are encoded key by key. */
const MOST_KEYS = 255
const LONGEST_KEY = 127
const LONGEST_LIST = 1024

const PLACES = 512

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
  /** The encoding that met it last, and its number there. */
  stamp: number
  number: number
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
  return { keys, joined, lengths, hash: hashOf(joined, lengths), hasProto, stamp: 0, number: 0 }
}

const met: Array<KeyList | undefined> = new Array<undefined>(PLACES).fill(undefined)

/** The list of an object's keys, which aren't none; undefined for one that is not kept. */
export function keyListOf(keys: readonly string[]): KeyList | undefined {
  const count = keys.length
  const first = keys[0]!
  const last = keys[count - 1]!
  const place =
    (count * 7 + first.charCodeAt(0) * 31 + first.length * 3 + last.charCodeAt(0) * 149 + last.length * 17) &
    (PLACES - 1)
  const known = met[place]
  if (known && known.keys.length === count) {
    let i = 0
    while (i < count && known.keys[i] === keys[i]) i++
    if (i === count) return known
  }
  if (count > MOST_KEYS || keys.some(({ length }) => length > LONGEST_KEY)) return undefined
  const joined = keys.join('')
  return joined.length > LONGEST_LIST ? undefined : (met[place] = makeList(keys, joined))
}

const arrived: Array<KeyList | undefined> = new Array<undefined>(PLACES).fill(undefined)

/** The list that had this hash last. */
export function arrivedKeyList(hash: number): KeyList | undefined {
  return arrived[hash & (PLACES - 1)]
}

/** Keeps a list that arrived. Its keys are those that the runtime keeps, and no parts of `joined`. */
export function keepKeyList(joined: string, lengths: Uint8Array, hash: number): KeyList {
  const keys: string[] = []
  let at = 0
  for (const length of lengths) keys.push(Object.keys({ [joined.slice(at, (at += length))]: 0 })[0]!)
  const list = makeList(keys, keys.join(''))
  // A hash that is another's would keep the list from being found.
  if (list.hash === hash) arrived[hash & (PLACES - 1)] = list
  return list
}
