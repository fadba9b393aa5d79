/**
 * The handles of this thread: one for each progress that it holds, found again by its block's address,
 * so that a progress that arrives twice is the same object (`===`).
 *
 * A handle counts as one holder of its block until it is collected.
 */
import { addHolder, dropHolder, reachBlock } from './block.js'

const handles = new Map<number, WeakRef<object>>()

const collected = new FinalizationRegistry<number>((at) => {
  if (handles.get(at)?.deref() === undefined) handles.delete(at)
  dropHolder(at)
})

/** Given to a class's constructor in the place of options: attach to this block. */
export class Attachment {
  constructor(readonly at: number) {}
}

/** Remembers a handle, which has one holder of the block as its own. */
export function keepHandle(at: number, handle: object): void {
  handles.set(at, new WeakRef(handle))
  collected.register(handle, at)
}

/** The handle of a block, made if this thread has none. `counted` says that a holder comes with the address. */
export function handleOf<T extends object>(at: number, counted: boolean, make: (attachment: Attachment) => T): T {
  const known = handles.get(at)?.deref() as T | undefined
  if (known) {
    if (counted) dropHolder(at)
    return known
  }
  reachBlock(at)
  if (!counted) addHolder(at)
  return make(new Attachment(at))
}
