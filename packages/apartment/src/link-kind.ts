/** What the links between threads are made of. */

/** By shared memory wherever there is some, or by message ports alone. */
export type LinkKind = 'shared' | 'port'

let ownKind: LinkKind = 'shared'

/** What this thread's links are made of where nothing else is asked for. */
export function ownLinkKind(): LinkKind {
  return ownKind
}

/** Whoever opened this thread wants it so, also for the links that it makes by itself. */
export function setOwnLinkKind(kind: LinkKind): void {
  ownKind = kind
}

/**
 * The kind that an option names; this thread's own where it names none.
 *
 * @throws TypeError for anything else.
 */
export function checkedLinkKind(link: LinkKind | undefined): LinkKind {
  if (link === undefined) return ownKind
  if (link === 'shared' || link === 'port') return link
  throw new TypeError(
    `link is 'shared' or 'port'; this one is ${typeof link === 'string' ? `'${link}'` : typeof link}.`,
  )
}
