// What the threads of the soak share, and what they do to it: see `soak.ts`.
import {
  dispose,
  FreeThreaded,
  locked,
  ref,
  Shared,
  SharedMap,
  SharedQueue,
  SharedSet,
  SharedVector,
} from '@flatshare/free-threaded'

type Next = (limit: number) => number

/** Says a number in three ways: a torn, lost or mixed-up write shows. */
const textOf = (n: number): string => `${n} `.repeat(1 + (n % 40))

interface Card {
  readonly n: number
  readonly text: string
}
const cardOf = (n: number): Card => ({ n, text: textOf(n) })

@FreeThreaded({ name: 'SoakNode', onAbandoned: (node: SoakNode) => node.mend() })
export class SoakNode {
  @Shared('u32') n = 0
  @Shared('string') text = textOf(0)
  @Shared('json') card: Card = cardOf(0)
  @Shared(ref(() => SoakNode)) left: SoakNode | null = null
  @Shared(ref(() => SoakNode)) right: SoakNode | null = null

  set(n: number): void {
    this.n = n
    this.text = textOf(n)
    this.card = cardOf(n)
  }

  check(): void {
    const { n, text, card } = this
    if (text !== textOf(n) || card.n !== n || card.text !== text) {
      throw new Error(`A node says ${n}, ${card.n} and ${text.slice(0, 20)}.`)
    }
  }

  /** After the death of a thread that was inside. */
  mend(): void {
    this.set(this.n)
  }

  /** Makes cycles, sooner or later. */
  link(left: SoakNode | null, right: SoakNode | null): void {
    this.left = left
    this.right = right
  }

  /** How many of them there are along one side, up to a limit. */
  follow(limit: number): number {
    const { left } = this
    return left === null || limit === 0 || left === this ? 0 : left.n % 2
  }
}

const NODES = 64

/** All that the threads share. */
export class World {
  constructor(
    readonly map = new SharedMap<string, Card>({ key: 'string', value: 'json', maxEntries: 200 }),
    readonly counts = new SharedMap({ key: 'u32', value: 'f64' }),
    readonly set = new SharedSet({ of: 'string' }),
    readonly texts = new SharedVector({ of: 'string' }),
    readonly nodes = new SharedVector({ of: SoakNode }),
    readonly queue = new SharedQueue<Card>({ of: 'json', capacity: 50 }),
    readonly travellers = new SharedQueue({ of: SoakNode, capacity: 20 }),
  ) {}

  static from(parts: readonly object[]): World {
    return new World(...(parts as ConstructorParameters<typeof World>))
  }

  parts(): object[] {
    return [this.map, this.counts, this.set, this.texts, this.nodes, this.queue, this.travellers]
  }

  fill(): void {
    for (let i = 0; i < NODES; i++) {
      const node = new SoakNode()
      node.set(i)
      this.nodes.push(node)
      dispose(node)
    }
  }

  dispose(): void {
    for (const part of this.parts()) dispose(part)
  }
}

const checkCard = ({ n, text }: Card): void => {
  if (text !== textOf(n)) throw new Error(`A card says ${n} and ${text.slice(0, 20)}.`)
}

/** One operation by chance. */
export function act(world: World, next: Next): void {
  const { map, counts, set, texts, nodes, queue, travellers } = world
  const n = next(10_000)
  const key = `key ${n % 300}`
  switch (next(16)) {
    case 0:
      map.set(key, cardOf(n))
      return
    case 1: {
      const card = map.get(key)
      if (card) checkCard(card)
      return
    }
    case 2:
      map.delete(key)
      return
    case 3:
      checkCard(map.getOrInsert(key, cardOf(n)))
      return
    case 4:
      counts.update(n % 50, (count = 0) => count + 1)
      return
    case 5:
      if (n % 2 === 0) set.add(key)
      else set.delete(key)
      return
    case 6:
      if (texts.length > 100) texts.splice(n % 50, 30)
      else texts.push(textOf(n), textOf(n + 1))
      return
    case 7: {
      const text = texts.at(n % 60)
      if (text !== undefined && text !== textOf(Number.parseInt(text, 10))) throw new Error(`A text says ${text}.`)
      return
    }
    case 8:
      queue.tryPut(cardOf(n))
      return
    case 9: {
      const card = queue.tryTake()
      if (card) checkCard(card)
      return
    }
    case 10: {
      const node = new SoakNode()
      node.set(n)
      nodes.set(n % NODES, node)
      if (n % 3 === 0) dispose(node)
      return
    }
    case 11:
      nodes.get(n % NODES)?.set(n)
      return
    case 12:
      nodes.get(n % NODES)?.check()
      return
    case 13:
      nodes.get(n % NODES)?.link(nodes.get((n * 7) % NODES) ?? null, nodes.get((n * 3) % NODES) ?? null)
      return
    case 14: {
      const [a, b] = [nodes.get(n % NODES), nodes.get((n * 5) % NODES)]
      if (!a || !b) return
      locked([a, b], () => {
        const before = a.n
        a.set(b.n)
        b.set(before)
      })
      return
    }
    default:
      if (n % 2 === 0) travellers.tryPut(nodes.get(n % NODES) ?? null)
      else travellers.tryTake()?.check()
  }
}

/** What must hold when nobody is at it. */
export function checkWorld({ map, counts, set, texts, nodes, queue, travellers }: World): void {
  if (map.size > 200) throw new Error(`A map of 200 entries has ${map.size}.`)
  for (const [key, card] of map) {
    checkCard(card)
    if (map.get(key)?.n !== card.n) throw new Error(`The map says different things of ${key}.`)
  }
  if ([...map].length !== map.size || [...set].length !== set.size)
    throw new Error('A size is not that of what is there.')
  for (const value of set) if (!set.has(value)) throw new Error(`${value} is in the set, and is not.`)
  for (const [, count] of counts) if (!Number.isInteger(count) || count < 1) throw new Error(`${count} times.`)
  for (const text of texts) if (text !== textOf(Number.parseInt(text, 10))) throw new Error(`A text says ${text}.`)
  for (const node of nodes) node?.check()
  if (nodes.length !== NODES) throw new Error(`Of ${NODES} nodes there are ${nodes.length}.`)
  for (const card of queue) checkCard(card)
  if (queue.size !== [...queue].length) throw new Error('The size of a queue is not that of what is there.')
  for (const node of travellers.drain()) node?.check()
  while (queue.tryTake() !== undefined);
  if (!queue.tryPut(cardOf(1)) || queue.tryTake()?.n !== 1) throw new Error('A queue does not work.')
}
