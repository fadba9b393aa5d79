/**
 * Puts messages together into conversations.
 *
 * Every Message-ID is a node, whether its message was seen or only named in a References or In-Reply-To field, and
 * so is every base subject of messages that have neither field. What belongs together is united (union-find with
 * path halving, by size). The result is the finest partition that the fields allow, so it depends neither on the
 * order in which messages arrive nor on how they were batched.
 */

export interface Conversation {
  /** Of its message that comes first in the archive. */
  subject: string
  /** Where that message starts. */
  offset: number
  /** Different messages; copies with one Message-ID count once. */
  messages: number
}

/** What conversations need to know of a message. */
export interface Threaded {
  offset: number
  messageId: string | null
  references: readonly string[]
  inReplyTo: string | null
  subject: string
  baseSubject: string
}

export class Conversations {
  readonly #nodes = new Map<string, number>()
  readonly #parents: number[] = []
  /** Per root: how many of its nodes are messages that were seen. Zero for a lone reference. */
  readonly #messages: number[] = []
  /** Per root: the first message of the archive among them. */
  readonly #first: ({ offset: number; subject: string } | null)[] = []
  readonly #seen = new Set<number>()
  #count = 0

  /** Conversations with at least one message. */
  get count(): number {
    return this.#count
  }

  add(message: Threaded): void {
    const node = this.#node(message.messageId === null ? `offset ${message.offset}` : `<${message.messageId}>`)
    this.#see(node, message)
    for (const id of message.references) this.#unite(node, this.#node(`<${id}>`))
    if (message.inReplyTo !== null) this.#unite(node, this.#node(`<${message.inReplyTo}>`))
    else if (message.references.length === 0 && message.baseSubject !== '') {
      this.#unite(node, this.#node(`subject ${message.baseSubject.toUpperCase()}`))
    }
  }

  /** The longest conversations; of equal ones that which begins first in the archive. */
  largest(limit: number): Conversation[] {
    const found: Conversation[] = []
    this.#parents.forEach((parent, node) => {
      const first = this.#first[node]
      if (parent === node && first) found.push({ ...first, messages: this.#messages[node] })
    })
    return found.sort((a, b) => b.messages - a.messages || a.offset - b.offset).slice(0, limit)
  }

  #node(key: string): number {
    let node = this.#nodes.get(key)
    if (node === undefined) {
      node = this.#parents.length
      this.#nodes.set(key, node)
      this.#parents.push(node)
      this.#messages.push(0)
      this.#first.push(null)
    }
    return node
  }

  #see(node: number, { offset, subject }: Threaded): void {
    const root = this.#root(node)
    if (!this.#seen.has(node)) {
      this.#seen.add(node)
      this.#messages[root] += 1
      if (this.#messages[root] === 1) this.#count++
    }
    const first = this.#first[root]
    if (!first || offset < first.offset) this.#first[root] = { offset, subject }
  }

  #unite(a: number, b: number): void {
    let [root, child] = [this.#root(a), this.#root(b)]
    if (root === child) return
    // A message outweighs any number of mere references: trees stay shallow all the same.
    if (this.#messages[root] < this.#messages[child]) [root, child] = [child, root]
    if (this.#messages[child] > 0) this.#count--
    this.#parents[child] = root
    this.#messages[root] += this.#messages[child]
    const [mine, theirs] = [this.#first[root], this.#first[child]]
    if (theirs && (!mine || theirs.offset < mine.offset)) this.#first[root] = theirs
    this.#first[child] = null
  }

  #root(node: number): number {
    const parents = this.#parents
    while (parents[node] !== node) {
      const grandparent = parents[parents[node]]
      parents[node] = grandparent
      node = grandparent
    }
    return node
  }
}
