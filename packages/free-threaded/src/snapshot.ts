import { i32, reach } from '@flatshare/core/internal'
import { blockOf } from './adoption.js'
import { CROSSED, SHADOW } from './heap/block.js'
import { heldOnPath } from './holds.js'
import { type ImageLayout, imageLayout } from './images.js'
import { requireShape } from './locked.js'
import { isInside } from './object-lock.js'
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
 * Code that is inside of the object itself sees the state as it is now. What one call of `locked` changes in several
 * groups of an object (`@Guarded`) may be seen group by group.
 *
 * @throws FlatshareError for anything but a free-threaded object.
 * @example
 * const { low, high } = snapshot(range) // low ≤ high, whoever is moving both
 */
export function snapshot<T extends object>(object: T): Scalars<T> {
  const shape = requireShape(object, 'snapshot')
  const address = blockOf(object)
  const layout = imageLayout(shape)
  return Object.freeze(readUnwritten(layout, address) ?? readImages(layout, address)) as Scalars<T>
}

type Values = Record<PropertyKey, unknown>

function readFields({ scalars }: ImageLayout, address: number): Values {
  const values: Values = {}
  for (const { key, slot } of scalars) values[key] = slot.type.read(address + slot.offset)
  return values
}

/** The fields, where nobody has written any since others may see the object: who does makes the images first. */
function readUnwritten(layout: ImageLayout, address: number): Values | undefined {
  const shadow = () => Atomics.load(i32, (address + SHADOW) >> 2)
  if (shadow() > CROSSED) return undefined
  const values = versions.consistently([], () => readFields(layout, address))
  return shadow() > CROSSED ? undefined : values
}

function readImages({ bytes, groups, scalars }: ImageLayout, address: number): Values {
  const images = Atomics.load(i32, (address + SHADOW) >> 2)
  reach(images + 2 * bytes)
  const locks = groups.map(({ lockOffset }) => address + lockOffset)
  const isOwn = locks.map((lock) => isInside(lock) || heldOnPath(lock))
  return versions.consistently(locks, (found) => {
    const values: Values = {}
    for (const { key, slot, group, offset } of scalars) {
      values[key] = isOwn[group]
        ? slot.type.read(address + slot.offset)
        : slot.type.readOutside!(versions.imageAt(images, bytes, found[group]!) + offset)
    }
    return values
  })
}
