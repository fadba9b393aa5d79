// It compiles, with declarations: what a module exports can be named, though nobody has written its type.
import { array, enumeration, FreeThreaded, ref, Shared } from '@flatshare/free-threaded'
import { SharedMap, SharedQueue, SharedSet, SharedVector } from 'flatshare'

@FreeThreaded()
export class Book {
  @Shared('string') title = ''
  @Shared(SharedMap) counts = new SharedMap({ key: 'string', value: 'u32' })
}

export class Shelf {
  readonly books = new SharedMap({ key: 'string', value: ref(Book) })
  readonly list = new SharedVector({ of: ref(() => Book) })
  readonly names = new SharedSet({ of: 'string' })
  readonly states = new SharedSet({ of: ['in', 'out'] })
  readonly orders = new SharedQueue({ of: 'json', capacity: 3 })
}

export const types = { votes: array('u32', 3), state: enumeration('in', 'out'), book: ref(Book) }
export const titleOf = (shelf: Shelf, key: string) => shelf.books.get(key)?.title
