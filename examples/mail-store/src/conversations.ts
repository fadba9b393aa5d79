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
    const links = [...batch.links]
    this.makeRoom(links.reduce((a, b) => Math.max(a, b), 0))
    let at = 0
    for (const record of batch.records) {
      const end = at + 1 + links[at]
      const node = links[at + 1]
      this.see(node, record)
      for (at += 2; at < end; at++) this.unite(node, links[at])
    }
  }

  protected reset(): void {
    for (const each of [this.parents, this.seen, this.messages, this.first]) each.clear()
  }

  /** Has room for nodes up to a number; each is alone. */
  protected makeRoom(last: number): void {
    for (let node = this.parents.length; node <= last; node++) {
      this.parents.push(node)
      this.seen.push(0)
      this.messages.push(0)
    }
  }

  protected see(node: number, record: MessageRecord): void {
    const root = this.root(node)
    if (this.seen.get(node) === 0) {
      this.seen.set(node, 1)
      this.messages.update(root, (messages) => messages + 1)
    }
    this.begin(root, record)
  }

  /** Notes a message that may be the first of its conversation. */
  protected begin(root: number, record: MessageRecord): void {
    const first = this.first.get(root)
    if (!first || record.offset < first.offset) this.first.set(root, record)
  }

  protected unite(a: number, b: number): void {
    let [root, child] = [this.root(a), this.root(b)]
    if (root === child) return
    // A message outweighs any number of mere references: trees stay shallow all the same.
    if (this.messages.get(root)! < this.messages.get(child)!) [root, child] = [child, root]
    const moved = this.messages.get(child)!
    this.parents.set(child, root)
    if (moved === 0) return
    this.messages.update(root, (messages) => messages + moved)
    this.begin(root, this.first.get(child)!)
    this.first.delete(child)
  }

  protected root(node: number): number {
    const { parents } = this
    for (;;) {
      const parent = parents.get(node)!
      if (parent === node) return node
      const grandparent = parents.get(parent)!
      parents.set(node, grandparent)
      node = grandparent
    }
  }
}
