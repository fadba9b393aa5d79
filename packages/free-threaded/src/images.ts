/** The images of objects' scalars (`versions.ts`): where they lie, and when they are made. */
import { views } from '@flatshare/core/internal'
import { OWNER_MASK } from '@flatshare/sync/internal'
import { CROSSED, SHADOW, TYPE } from './heap/block.js'
import { allocateValue, enterHeap, freeValue, leaveHeap } from './heap/index.js'
import { own } from './own-thread.js'
import { type Group, type Shape, type Slot, shapeOf } from './shape.js'
import { versions, type Words } from './versions.js'

// Compiled in where it is used; an import isn't.
const memory = views

/** The images of a class's objects. */
export interface ImageLayout {
  /** One image; 0 where the class has no scalars. */
  readonly bytes: number
  readonly words: ReadonlyMap<string, Words>
  /** Those of the main group. */
  readonly mainWords: Words
  /** The groups that have scalars. */
  readonly groups: readonly Group[]
  readonly scalars: readonly Scalar[]
}

interface Scalar {
  readonly key: PropertyKey
  readonly slot: Slot
  /** Which of the groups it is in. */
  readonly group: number
  /** Where it lies in an image. */
  readonly offset: number
}

const layouts = new WeakMap<Shape, ImageLayout>()

export function imageLayout(shape: Shape): ImageLayout {
  let layout = layouts.get(shape)
  if (!layout) layouts.set(shape, (layout = makeLayout(shape)))
  return layout
}

/** By the type's number. */
const layoutsByType: (ImageLayout | undefined)[] = []

/** The same for each commit, found by the object's block: its class would be looked up in a slower way. */
export function imageLayoutAt(object: object, address: number): ImageLayout {
  const type = memory.i32[(address + TYPE) >> 2]!
  return layoutsByType[type] ?? (layoutsByType[type] = imageLayout(shapeOf(object)!))
}

/** The groups' scalars one after the other, each at an address as even as in the object. */
function makeLayout(shape: Shape): ImageLayout {
  const words = new Map<string, Words>()
  const groups = [...shape.groups.values()].filter(({ ranges }) => ranges.length > 0)
  const scalars: Scalar[] = []
  let end = 0
  for (const group of shape.groups.values()) {
    const pairs: number[] = []
    for (const [from, to] of group.ranges) {
      if ((end & 7) !== (from & 7)) end += 4
      for (let at = from; at < to; at += 4) pairs.push(at, end + at - from)
      for (const [key, slot] of shape.slots) {
        if (!slot.type.isScalar || slot.group.name !== group.name || slot.offset < from || slot.offset >= to) continue
        scalars.push({ key, slot, group: groups.indexOf(group), offset: end + slot.offset - from })
      }
      end += to - from
    }
    words.set(group.name, pairs)
  }
  return { bytes: (end + 7) & ~7, words, mainWords: words.get('')!, groups, scalars }
}

/**
 * Notes that others may see the object from now on; to be called before it can be inside of anything but the running
 * code: before the object crosses, and before an async call holds its lock. The first one to write a field then makes
 * the images; until that its fields are what they were, and `snapshot` reads them. Where the running code is inside,
 * and may have written already, they are made now.
 *
 * @throws HeapFullError before anything has changed.
 */
export function noteCrossing(object: object, address: number): void {
  const { i32 } = memory
  if (i32[(address + SHADOW) >> 2] !== 0) return
  const shape = shapeOf(object)!
  const groups = [...shape.groups.values()]
  // Optimistic readers go by versions alone, and those are raised where there are images.
  if (imageLayout(shape).bytes === 0 && !groups.some(({ hasReaders }) => hasReaders)) return
  const isInside = groups.some(({ lockOffset }) => (i32[(address + lockOffset) >> 2] & OWNER_MASK) === own.id)
  if (isInside) makeImages(object, address)
  else Atomics.store(i32, (address + SHADOW) >> 2, CROSSED)
}

/**
 * Makes the images, under a lock of the object, before its first field is written. Another thread may do so at the same
 * time under another group's lock: whoever comes first has copied what nobody had written.
 *
 * @throws HeapFullError before anything has changed.
 */
export function makeImages(object: object, address: number): void {
  const { bytes, words } = imageLayoutAt(object, address)
  const shadow = (address + SHADOW) >> 2
  enterHeap()
  try {
    const seen = Atomics.load(memory.i32, shadow)
    if (seen > CROSSED) return
    const images = allocateValue(Math.max(2 * bytes, 16))
    for (const { name, lockOffset } of shapeOf(object)!.groups.values()) {
      versions.fill(address + lockOffset, address, images, bytes, words.get(name)!)
    }
    if (Atomics.compareExchange(memory.i32, shadow, seen, images) !== seen) freeValue(images)
  } finally {
    leaveHeap()
  }
}
