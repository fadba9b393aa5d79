import { i32, reach } from '@flatshare/core/internal'
import { blockOf } from './adoption.js'
import { SHADOW } from './heap/block.js'
import { heldOnPath } from './holds.js'
import { imageLayout } from './images.js'
import { requireShape } from './locked.js'
import { isInside } from './object-lock.js'
import type { Shape } from './shape.js'
import { versions } from './versions.js'

type IsScalar<V> = [V] extends [number | bigint | boolean]
  ? true
  : string extends V
    ? false
    : [V] extends [string]
      ? true
      : false

/** The fields of a class that can be numbers, bigints, booleans or enumerations; of those, a snapshot has the shared ones. */
export type Scalars<T> = {
  readonly [K in keyof T as IsScalar<T[K]> extends true ? K : never]: T[K]
}

/**
 * All scalar fields of a free-threaded object (numbers, bigints, booleans, enumerations), as they were together at one
 * moment, in a frozen plain object. It never waits: while another thread is inside of a method, it shows what was there
 * before that. If a thread died inside, that too, until another call has taken the object over.
 *
 * Code that is inside of the object itself sees the state as it is now.
 *
 * @throws FlatshareError for anything but a free-threaded object.
 * @example
 * const { low, high } = snapshot(range) // low ≤ high, whoever is moving both
 */
export function snapshot<T extends object>(object: T): Scalars<T> {
  const shape = requireShape(object, 'snapshot')
  const address = blockOf(object)
  const images = Atomics.load(i32, (address + SHADOW) >> 2)
  const values: Record<PropertyKey, unknown> = {}
  // Without images nobody else has ever seen the object.
  if (images === 0) {
    for (const [key, { type, offset }] of shape.slots) if (type.isScalar) values[key] = type.read(address + offset)
  } else readImages(shape, address, images, values)
  return Object.freeze(values) as Scalars<T>
}

function readImages(shape: Shape, address: number, images: number, values: Record<PropertyKey, unknown>): void {
  const { bytes, offsets } = imageLayout(shape)
  reach(images + 2 * bytes)
  const groups = [...shape.groups.values()].filter(({ ranges }) => ranges.length > 0)
  const own = new Set(
    groups.map(({ lockOffset }) => address + lockOffset).filter((lock) => isInside(lock) || heldOnPath(lock)),
  )
  const foreign = groups.filter(({ lockOffset }) => !own.has(address + lockOffset))
  const at = new Map(foreign.map(({ name }, i) => [name, i]))
  const locks = foreign.map(({ lockOffset }) => address + lockOffset)
  versions.consistently(locks, (found) => {
    for (const [key, slot] of shape.slots) {
      const { type, offset, group } = slot
      if (!type.isScalar) continue
      const i = at.get(group.name)
      values[key] =
        i === undefined
          ? type.read(address + offset)
          : type.readOutside!(versions.imageAt(images, bytes, found[i]!) + offsets.get(slot)!)
    }
  })
}
