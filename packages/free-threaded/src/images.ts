/** The images of objects' scalars (`versions.ts`): where they lie, and when they are made. */
import { reach, views } from '@flatshare/core/internal'
import { OWNER_MASK } from '@flatshare/sync/internal'
import type { Access } from './access.js'
import { CROSSED, SHADOW, TYPE } from './heap/block.js'
import { allocateValue, enterHeap, freeValue, leaveHeap } from './heap/index.js'
import { own } from './own-thread.js'
import { type Group, type Shape, type Slot, shapeOf } from './shape.js'
import { type Runs, versions } from './versions.js'

// Compiled in where it is used; an import isn't.
const memory = views

/** The images of a class's objects. */
export interface ImageLayout {
  /** One image; 0 where the class has no scalars. */
  readonly bytes: number
  /** What each group's lock guards. */
  readonly runs: ReadonlyMap<string, Runs>
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

/** The same, found by the object's block: its class would be looked up in a slower way. */
function imageLayoutAt(object: object, address: number): ImageLayout {
  const type = memory.i32[(address + TYPE) >> 2]!
  return layoutsByType[type] ?? (layoutsByType[type] = imageLayout(shapeOf(object)!))
}

/**
 * All that a commit needs where the main lock guards one run, by the type's number, four numbers each: the bytes of an
 * image, 0 where the rest isn't known; where the run begins in the object, and in an image; its bytes. In one array,
 * since each object on the way to a number is a load that waits for the one before: they took half of a commit's time.
 */
const MAIN_RUNS = 1024
const mainRuns = new Int32Array(4 * MAIN_RUNS)

/** Makes what the holder of the lock has written seen. */
export function commitImages(object: object, lock: number, { lockOffset, group }: Access): void {
  const { i32 } = memory
  const address = lock - lockOffset
  const images = i32[(address + SHADOW) >> 2]
  const at = i32[(address + TYPE) >> 2] << 2
  const bytes = lockOffset === 0 && at < mainRuns.length ? mainRuns[at]! : 0
  if (bytes === 0 || images + 2 * bytes > i32.length << 2) commitRuns(object, lock, address, group)
  else versions.commitRun(lock, address + mainRuns[at + 1]!, images + mainRuns[at + 2]!, bytes, mainRuns[at + 3]!)
}

function commitRuns(object: object, lock: number, address: number, group: string): void {
  const { bytes, runs } = imageLayoutAt(object, address)
  const images = memory.i32[(address + SHADOW) >> 2]
  reach(images + 2 * bytes)
  versions.commit(lock, address, images, bytes, runs.get(group)!)
  const main = runs.get('')!
  const type = memory.i32[(address + TYPE) >> 2]
  if (main.length === 3 && type < MAIN_RUNS) mainRuns.set([bytes, ...main], 4 * type)
}

/** The groups' scalars one after the other, each at an address as even as in the object. */
function makeLayout(shape: Shape): ImageLayout {
  const runs = new Map<string, Runs>()
  const groups = [...shape.groups.values()].filter(({ ranges }) => ranges.length > 0)
  const scalars: Scalar[] = []
  let end = 0
  for (const group of shape.groups.values()) {
    const ofGroup: number[] = []
    for (const [from, to] of group.ranges) {
      if ((end & 7) !== (from & 7)) end += 4
      ofGroup.push(from, end, to - from)
      for (const [key, slot] of shape.slots) {
        if (!slot.type.isScalar || slot.group.name !== group.name || slot.offset < from || slot.offset >= to) continue
        scalars.push({ key, slot, group: groups.indexOf(group), offset: end + slot.offset - from })
      }
      end += to - from
    }
    runs.set(group.name, ofGroup)
  }
  return { bytes: (end + 7) & ~7, runs, groups, scalars }
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
  const { bytes, runs } = imageLayoutAt(object, address)
  const shadow = (address + SHADOW) >> 2
  enterHeap()
  try {
    const seen = Atomics.load(memory.i32, shadow)
    if (seen > CROSSED) return
    const images = allocateValue(Math.max(2 * bytes, 16))
    for (const { name, lockOffset } of shapeOf(object)!.groups.values()) {
      versions.fill(address + lockOffset, address, images, bytes, runs.get(name)!)
    }
    if (Atomics.compareExchange(memory.i32, shadow, seen, images) !== seen) freeValue(images)
  } finally {
    leaveHeap()
  }
}
