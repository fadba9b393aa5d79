/**
 * What member decorators note, for the class decorator to act on.
 *
 * Both dialects end here. The standard dialect's member decorators don't see the class: they note under
 * the metadata object that they share with the class decorator. The legacy dialect's note under the
 * prototype. Descriptions in plain JavaScript note under the prototype too.
 *
 * Notes are kept in weak maps by that object, never on it: metadata objects and prototypes inherit, and
 * a note written through inheritance would land in the parent class.
 */
import { FlatshareError } from './errors.js'

// Missing on Node 20 and in older browsers; without it compilers hand out no metadata object.
if (!(Symbol as { metadata?: symbol }).metadata) {
  Object.defineProperty(Symbol, 'metadata', { value: Symbol.for('Symbol.metadata') })
}

/** One thing that a member decorator said, for example `{ decorator: 'Shared', type: 'f64' }`. */
export interface MemberNote {
  readonly decorator: string
  readonly [detail: string]: unknown
}

/** What a member decorator is called with as its second argument, in either dialect. */
export type MemberContext = PropertyKey | ClassMemberDecoratorContext

export type MemberNotes = ReadonlyMap<PropertyKey, readonly MemberNote[]>

const notes = new WeakMap<object, Map<PropertyKey, MemberNote[]>>()

/** Notes something about a member of the class to which `owner` (a prototype or metadata object) belongs. */
export function describeMember(owner: object, key: PropertyKey, note: MemberNote): void {
  let members = notes.get(owner)
  if (!members) notes.set(owner, (members = new Map()))
  const list = members.get(key)
  if (list) list.push(note)
  else members.set(key, [note])
}

/**
 * Called by a member decorator with its own two arguments.
 *
 * @throws FlatshareError for static and `#private` members.
 */
export function noteMember(target: unknown, keyOrContext: MemberContext, note: MemberNote): void {
  if (typeof keyOrContext === 'object') {
    const { name, static: isStatic, private: isPrivate, metadata } = keyOrContext
    if (isPrivate) refuse(note, String(name), 'is private (#): only the object itself could reach it')
    if (isStatic) refuse(note, String(name), 'is static: a class has no state that threads could share')
    describeMember(metadata, name, note)
    return
  }
  if (typeof target === 'function')
    refuse(note, String(keyOrContext), 'is static: a class has no state that threads could share')
  describeMember(target as object, keyOrContext, note)
}

function refuse(note: MemberNote, member: string, why: string): never {
  throw new FlatshareError(`@${note.decorator} can't decorate ${member}: it ${why}.`)
}

/** The notes on a class's own members, not its parents'. */
export function ownMemberNotes(Class: Function): MemberNotes {
  const byPrototype = notes.get(Class.prototype)
  const metadata = Object.hasOwn(Class, Symbol.metadata) ? (Class as any)[Symbol.metadata] : undefined
  const byMetadata = metadata ? notes.get(metadata) : undefined
  if (!byMetadata) return byPrototype ?? new Map()
  return byPrototype ? merged(byMetadata, byPrototype) : byMetadata
}

function merged(some: MemberNotes, others: MemberNotes): MemberNotes {
  const all = new Map(some)
  for (const [key, list] of others) all.set(key, [...(all.get(key) ?? []), ...list])
  return all
}

/** As `ownMemberNotes`, for a class decorator of the standard dialect: its class has no metadata yet. */
export function memberNotes(Class: Function, context: ClassDecoratorContext | undefined): MemberNotes {
  const own = ownMemberNotes(Class)
  const byMetadata = context?.metadata ? notes.get(context.metadata) : undefined
  if (!byMetadata || own === byMetadata) return own
  return own.size === 0 ? byMetadata : merged(byMetadata, own)
}
