import { i32 } from '@flatshare/core/internal'
import { makeArenaRwLock } from '@flatshare/sync/internal'
import { allocateValue, enterHeap, leaveHeap } from './heap/index.js'
import { shapeOf } from './shape.js'

/** The lock of groups with `@Reads` members. Its records are value blocks, which the heap frees with the object. */
export const readWriteLock = makeArenaRwLock((bytes) => {
  enterHeap()
  try {
    const record = allocateValue(bytes)
    i32.fill(0, record >> 2, (record + bytes) >> 2)
    return record
  } finally {
    leaveHeap()
  }
})

/** Whether a group of the object has `@Reads` members; a subclass may have added the first one. */
export function hasReaders(object: object, group: string): boolean {
  return shapeOf(object)!.groups.get(group)!.hasReaders
}
