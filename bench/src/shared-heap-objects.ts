/** The objects of the heap's tables, plain and free-threaded. */
import { FreeThreaded, Shared } from '@flatshare/free-threaded'

/** What its three fields take. */
export const FIELD_BYTES = 24

@FreeThreaded({ module: import.meta.url })
export class Item {
  @Shared('f64') price = 1.5
  @Shared('f64') weight = 2.5
  @Shared('u32') id = 0
  @Shared('u32') stock = 0

  give(id: number): void {
    this.id = id
  }
}

export class PlainItem {
  price = 1.5
  weight = 2.5
  id = 0
  stock = 0

  give(id: number): void {
    this.id = id
  }
}
