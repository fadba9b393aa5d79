/**
 * Code for the objects of one list of keys, compiled when such a list has come often: to set a member by a key that isn't
 * known to the engine takes it 20 ns, one that stands in the code a tenth of that.
 *
 * The keys go into that code as JSON, so as texts whatever is in them. Where the runtime compiles no texts there is none.
 */
import { compiles } from '#platform'
import type { KeyList } from './codec-keys.js'

/** Who reads the members. */
export interface Members {
  /** The object is there, and can be referred to. */
  begin(x: object): void
  /** The value of the next member. */
  member(): unknown
}

export type Maker = (members: Members) => object

/** So many objects come before it is worth it. */
const OFTEN = 32
/** An object of more keys is made member by member. */
const MOST_KEYS = 64
/** For so many lists, on one thread. */
const MOST_MAKERS = 1024

let left = compiles ? MOST_MAKERS : 0

/** What makes the next object of that list; undefined where it is made member by member. */
export function makerOf(list: KeyList): Maker | undefined {
  if (list.maker === undefined && ++list.came === OFTEN) list.maker = compiled(list)
  return list.maker
}

function compiled({ keys, hasProto }: KeyList): Maker | undefined {
  if (left === 0 || hasProto || keys.length > MOST_KEYS) return undefined
  left--
  const texts = keys.map((key) => JSON.stringify(key))
  const code = [
    `const x = { ${texts.map((text) => `${text}: undefined`).join(', ')} }`,
    'members.begin(x)',
    ...texts.map((text) => `x[${text}] = members.member()`),
    'return x',
  ]
  try {
    return new Function('members', code.join('\n')) as Maker
  } catch {
    // The program doesn't let texts be compiled.
    left = 0
    return undefined
  }
}
