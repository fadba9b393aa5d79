/** Objects that the page, which may not block, and a worker use at once: fields of every type, containers, a queue. */
import {
  FreeThreaded,
  heapStatistics,
  nonBlocking,
  Reads,
  ref,
  Shared,
  type SharedArray,
  SharedMap,
  SharedQueue,
  snapshot,
} from '@flatshare/free-threaded'

@FreeThreaded({ name: 'Book' })
export class Book {
  @Shared('string') title = ''
  @Shared('json') tags: unknown = []
  @Shared('bytes') cover = new Uint8Array()
  @Shared('u32[3]') votes!: SharedArray<number>
  @Shared(['in', 'out']) state: 'in' | 'out' = 'in'
  @Shared('i64') isbn = 0n
  @Shared('f64') price = 0
  @Shared(ref(() => Book)) sequel: Book | null = null

  lend(): void {
    this.state = 'out'
    this.price += 1
    this.votes[1]!++
    this.title += ' ☃ \ud800'
  }

  @Reads({ optimistic: true }) cost(): number {
    return this.price
  }
}

export interface Library {
  books: SharedMap<string, Book | null>
  counts: SharedMap<string, number>
  orders: SharedQueue<string>
}

export function newLibrary(): Library {
  const book = new Book()
  book.title = 'Ein längerer Titel, 長い, '.repeat(20)
  book.cover = new Uint8Array([1, 2, 255])
  book.tags = { at: new Date(0), of: new Map([['a', 1n]]) }
  book.isbn = -(2n ** 63n)
  book.sequel = book
  const books = new SharedMap<string, Book | null>({ key: 'string', value: ref(Book) })
  books.set('first', book)
  return {
    books,
    counts: new SharedMap({ key: 'string', value: 'f64' }),
    orders: new SharedQueue<string>({ of: 'string', capacity: 2 }),
  }
}

const times = 2000

/** The worker's part: it blocks. */
export function workInLibrary({ books, counts, orders }: Library): string {
  const book = books.get('first')!
  for (let i = 0; i < times; i++) counts.update('visits', (count = 0) => count + 1)
  book.lend()
  for (let i = 0; i < 20; i++) orders.putSync(`order ${i}`)
  orders.close()
  return `${book.title.endsWith('☃ \ud800')} ${book.sequel === book} ${book.votes[1]} ${book.cover[2]} ${book.isbn}`
}

/** The page's part: it awaits. */
export async function visitLibrary({ books, counts, orders }: Library): Promise<unknown[]> {
  const taken: string[] = []
  const ordering = (async () => {
    for await (const order of orders) taken.push(order)
  })()
  const visits = nonBlocking(counts)
  for (let i = 0; i < times; i++) await visits.update('visits', (count = 0) => count + 1)
  await ordering
  const book = (await nonBlocking(books).get('first'))!
  return [
    counts.get('visits'),
    taken.length,
    taken.at(-1),
    snapshot(book).price,
    book.cost(),
    heapStatistics().objects > 3,
  ]
}
