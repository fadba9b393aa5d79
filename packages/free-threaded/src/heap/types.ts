/**
 * The types of objects in shared memory, so that each thread can follow and free what another one's classes made,
 * whether it knows those classes or not.
 *
 * Descriptions are written once and never freed; their addresses stand in a table by number. The table grows inside
 * the guard, the number last, so it is read without.
 */
import { FlatshareError } from '@flatshare/core'
import { readValue, writeValue } from '@flatshare/core/internal'
import { TYPE } from './block.js'
import { Control, type HeapControl, MOST_TYPES } from './control.js'
import type { HeapMemory } from './heap-memory.js'

/** Names a type in this process. */
export type TypeId = number

/** What is known of the objects of a type. */
export interface TypeDescription {
  /** `class`, or that of a container: says which code makes their handles. */
  readonly kind: string
  readonly name: string
  /** What two copies of the class must agree on. */
  readonly layout: string
  /** The module that has the class, as far as it is known. */
  readonly module: string
  /** Whether a thread that gets such an object is to load that module by itself. */
  readonly autoload?: boolean
  readonly bytes: number
  /** Where in the block the addresses of other objects are that it keeps alive. */
  readonly refs: readonly number[]
  /** Where the addresses of its value blocks are. */
  readonly values: readonly number[]
  /** Where lists of reader records begin. */
  readonly readers: readonly number[]
}

export interface TypeInfo extends TypeDescription {
  readonly id: TypeId
}

export type HeapTypes = ReturnType<typeof makeTypes>

export function makeTypes(memory: HeapMemory, control: HeapControl) {
  const known: TypeInfo[] = []
  const ids = new Map<string, TypeId>()

  /**
   * The number of a type; the same kind, name and layout have the same one on all threads.
   *
   * @throws FlatshareError when there are too many.
   */
  function register(description: TypeDescription): TypeId {
    const key = keyOf(description)
    const id = ids.get(key)
    if (id !== undefined) return id
    learn()
    const told = ids.get(key)
    if (told !== undefined) return told
    const { kind, name, layout, module, autoload = false, bytes, refs, values, readers } = description
    const written = writeValue(
      { kind, name, layout, module, autoload, bytes, refs, values, readers },
      { table: true, plain: true },
    )
    control.enter()
    try {
      learn()
      const meanwhile = ids.get(key)
      if (meanwhile !== undefined) return meanwhile
      const count = memory.load(control.at() + Control.typeCount)
      if (count + 1 >= MOST_TYPES)
        throw new FlatshareError(`There are more than ${MOST_TYPES - 2} types of free-threaded objects.`)
      memory.store(control.at() + Control.types + (count + 1) * 4, written.address)
      memory.store(control.at() + Control.typeCount, count + 1)
      learn()
      return ids.get(key)!
    } finally {
      control.leave()
    }
  }

  /** Reads what other threads have registered. */
  function learn(): void {
    const count = memory.load(control.at() + Control.typeCount)
    for (let id = Math.max(known.length, 1); id <= count; id++) {
      const info = { ...(readValue(memory.load(control.at() + Control.types + id * 4)) as TypeDescription), id }
      known[id] = info
      ids.set(keyOf(info), id)
    }
  }

  const keyOf = ({ kind, name, layout }: TypeDescription) => `${kind} ${name} ${layout}`

  /** The type of the object in a block; undefined where there is none. */
  function at(address: number): TypeInfo | undefined {
    const id = memory.get(address + TYPE)
    if (known[id] === undefined && id > 0 && id < MOST_TYPES) learn()
    return known[id]
  }

  /** A type that was registered on this thread. */
  const byId = (id: TypeId): TypeInfo => known[id]!

  return { register, at, byId }
}
