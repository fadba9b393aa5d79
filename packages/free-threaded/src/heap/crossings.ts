/**
 * Objects on their way between threads: what a packet or a message holds, until it is unpacked or given up.
 *
 *   crossing   +0 object, 0: free   +4 maker   +8 the only thread it is for, or 0   +12 next free one
 *   chunk      +0 next chunk   +16 … crossings
 *
 * A crossing stands for one in its object's count, which goes up first and down last. It ends when it is unpacked, when
 * its packet is disposed of, when the thread that it is for has ended; or, where it is for anybody, some seconds after
 * its maker has ended: until then the message may still lie before a living thread. One of a table packet or of a
 * value that any thread may read any number of times has no maker, and stays.
 *
 * Invariant: all of this happens inside the guard.
 */
import type { ThreadId } from '@flatshare/core'
import { Control, type HeapControl } from './control.js'
import type { HeapMemory } from './heap-memory.js'

const CROSSING_BYTES = 16
const OBJECT = 0
const MAKER = 4
const RECEIVER = 8
const NEXT_FREE = 12

export type Crossings = ReturnType<typeof makeCrossings>

export function makeCrossings(memory: HeapMemory, control: HeapControl) {
  const { chunkBytes } = memory
  /** Notes a crossing of an object that was counted up for it. Gives its address. */
  function begin(object: number, maker: ThreadId, receiver: ThreadId): number {
    control.enter()
    try {
      const head = control.at() + Control.freeCrossings
      if (memory.get(head) === 0) newChunk()
      const crossing = memory.get(head)
      memory.reach(crossing + CROSSING_BYTES)
      memory.store(head, memory.get(crossing + NEXT_FREE))
      memory.set(crossing + MAKER, maker)
      memory.set(crossing + RECEIVER, receiver)
      memory.store(crossing + OBJECT, object)
      return crossing
    } finally {
      control.leave()
    }
  }

  function newChunk(): void {
    const chunk = memory.allocate(chunkBytes)
    for (let at = chunk + 16; at < chunk + chunkBytes; at += CROSSING_BYTES) makeFree(at)
    memory.set(chunk, memory.get(control.at() + Control.crossings))
    memory.store(control.at() + Control.crossings, chunk)
  }

  function makeFree(crossing: number): void {
    const head = control.at() + Control.freeCrossings
    memory.set(crossing + NEXT_FREE, memory.get(head))
    memory.store(head, crossing)
  }

  /** Whether a crossing is at what may be any number. */
  function exists(crossing: number): boolean {
    for (let chunk = memory.load(control.at() + Control.crossings); chunk !== 0; chunk = memory.get(chunk)) {
      memory.reach(chunk + chunkBytes)
      const offset = crossing - chunk
      if (offset >= 16 && offset < chunkBytes && offset % CROSSING_BYTES === 0) return true
    }
    return false
  }

  /** Whether an object is on its way by a crossing. Both may be any number. */
  function isOf(crossing: number, object: number): boolean {
    control.enter()
    const found = object !== 0 && exists(crossing) && memory.get(crossing + OBJECT) === object
    control.leave()
    return found
  }

  /** Ends a crossing, if it is still that of the object; the caller then counts the object down. */
  function end(crossing: number, object: number): boolean {
    control.enter()
    try {
      if (object === 0 || !exists(crossing) || memory.get(crossing + OBJECT) !== object) return false
      memory.store(crossing + OBJECT, 0)
      makeFree(crossing)
      return true
    } finally {
      control.leave()
    }
  }

  /** Ends those that nobody can unpack; `isOver` says it of those for anybody, by their maker. */
  function endDead(isOver: (maker: ThreadId) => boolean, letGo: (object: number) => void): void {
    control.enter()
    try {
      for (const crossing of all()) {
        const object = memory.get(crossing + OBJECT)
        if (object === 0) continue
        const maker = memory.get(crossing + MAKER)
        const receiver = memory.get(crossing + RECEIVER)
        const lost = receiver === 0 ? maker !== 0 && isOver(maker) : !memory.isAlive(receiver)
        if (!lost) continue
        memory.store(crossing + OBJECT, 0)
        makeFree(crossing)
        letGo(object)
      }
    } finally {
      control.leave()
    }
  }

  /** All crossings, free ones too. Inside the guard, or while nobody is in a section. */
  function* all(): Generator<number> {
    let chunk = memory.load(control.at() + Control.crossings)
    while (chunk !== 0) {
      memory.reach(chunk + chunkBytes)
      for (let at = chunk + 16; at < chunk + chunkBytes; at += CROSSING_BYTES) yield at
      chunk = memory.get(chunk)
    }
  }

  /** The objects that are on their way. */
  function* objects(): Generator<number> {
    for (const crossing of all()) {
      const object = memory.get(crossing + OBJECT)
      if (object !== 0) yield object
    }
  }

  return { begin, isOf, end, endDead, objects }
}
