import type { OwnedBy } from './objects.js'
import type { TypeInfo } from './types.js'

/** What makes the handles of a kind of objects. */
export interface HeapKind {
  /** The bare object, which is linked to its block when this returns. */
  attach(info: TypeInfo): object
  /** What its objects own beside their type's refs and values. */
  readonly owned?: OwnedBy
}

const kinds = new Map<string, HeapKind>()

/** Plugs a kind in, for this thread. Without it the thread can't free what only `owned` knows of. */
export function registerKind(name: string, kind: HeapKind): void {
  kinds.set(name, kind)
}

export function kindOf(name: string): HeapKind | undefined {
  return kinds.get(name)
}
