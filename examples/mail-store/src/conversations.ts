/**
 * Puts messages together into conversations: what belongs together is united (union-find with path halving, by size), in
 * vectors that lie in shared memory. The nodes are those of `conversation-nodes.ts`. The result is the finest partition
 * that the fields allow, so it depends neither on the order in which messages arrive nor on how they were batched.
 *
 *   parents    for each node its parent, or itself: a root
 *   seen       for each node, 1 where it is a message that was seen
 *   messages   for each root, how many of its nodes are messages that were seen; 0 for a lone reference
 *   first      for each root that has any, the first message of the archive among them
 */
import { FreeThreaded, ref, Shared, SharedMap, SharedVector } from 'flatshare'
import type { Batch } from './batch.js'
import { BatchIndex } from './batch-index.js'
import { MessageRecord } from './message-record.js'

export interface Conversation {
  /** Of its message that comes first in the archive. */
  subject: string
  /** Where that message starts. */
  offset: number
  /** Different messages; copies with one Message-ID count once. */
  messages: number
}

@FreeThreaded()
export class Conversations extends BatchIndex {
  @Shared(ref(SharedVector)) readonly parents: SharedVector<number> = new SharedVector({ of: 'u32' })
  @Shared(ref(SharedVector)) readonly seen: SharedVector<number> = new SharedVector({ of: 'u8' })
  @Shared(ref(SharedVector)) readonly messages: SharedVector<number> = new SharedVector({ of: 'u32' })
  @Shared(ref(SharedMap)) readonly first: SharedMap<number, MessageRecord, MessageRecord> = new SharedMap<
    number,
    MessageRecord,
    MessageRecord
  >({ key: 'u32', value: MessageRecord })

  /** Conversations with at least one message. */
  get count(): number {
    return this.first.size
  }

  /** The longest conversations; of equal ones that which begins first in the archive. */
  largest(limit: number): Conversation[] {
    const messages = [...this.messages]
    return Array.from(this.first, ([root, first]) => ({ first, offset: first.offset, messages: messages[root] }))
      .sort((a, b) => b.messages - a.messages || a.offset - b.offset)
      .slice(0, limit)
      .map(({ first, offset, messages }) => ({ subject: first.subject, offset, messages }))
  }

  protected include(batch: Batch): void {
    const { parents, seen, messages, first } = this
    const forest = { parents, seen, messages, first }
    const links = [...batch.links]
    makeRoom(
      forest,
      links.reduce((a, b) => Math.max(a, b), 0),
    )
    let at = 0
    for (const record of batch.records) {
      const end = at + 1 + links[at]
      let root = see(forest, links[at + 1], record)
      for (at += 2; at < end; at++) root = unite(forest, root, rootOf(forest, links[at]))
    }
  }

  protected reset(): void {
    for (const each of [this.parents, this.seen, this.messages, this.first]) each.clear()
  }
}

/** The vectors, looked up once: every access to a field costs something, too. */
type Forest = Pick<Conversations, 'parents' | 'seen' | 'messages' | 'first'>

/** Has room for nodes up to a number; each is alone. */
function makeRoom({ parents, seen, messages }: Forest, last: number): void {
  for (let node = parents.length; node <= last; node++) {
    parents.push(node)
    seen.push(0)
    messages.push(0)
  }
}

/** Notes that a node is a message; gives its root. */
function see(forest: Forest, node: number, record: MessageRecord): number {
  const { seen, messages } = forest
  const root = rootOf(forest, node)
  if (seen.get(node) === 0) {
    seen.set(node, 1)
    messages.set(root, messages.get(root)! + 1)
  }
  begin(forest, root, record)
  return root
}

/** Notes a message that may be the first of its conversation. */
function begin({ first }: Forest, root: number, record: MessageRecord): void {
  const before = first.get(root)
  if (!before || record.offset < before.offset) first.set(root, record)
}

/** Makes one conversation of two roots; gives its root. */
function unite(forest: Forest, a: number, b: number): number {
  if (a === b) return a
  const { parents, messages, first } = forest
  const [ofA, ofB] = [messages.get(a)!, messages.get(b)!]
  // A message outweighs any number of mere references: trees stay shallow all the same.
  const [root, child, moved] = ofA < ofB ? [b, a, ofA] : [a, b, ofB]
  parents.set(child, root)
  if (moved === 0) return root
  messages.set(root, ofA + ofB)
  begin(forest, root, first.get(child)!)
  first.delete(child)
  return root
}

function rootOf({ parents }: Forest, node: number): number {
  for (;;) {
    const parent = parents.get(node)!
    if (parent === node) return node
    const grandparent = parents.get(parent)!
    if (grandparent === parent) return parent
    parents.set(node, grandparent)
    node = grandparent
  }
}
