/**
 * The handles of a thread: one JavaScript object for each shared object, as long as somebody here holds it.
 *
 * A handle is found by its address once others can know that address (`intern`): before, nothing leads to it. It
 * keeps its object alive by a ledger entry, until it is disposed of or collected as garbage.
 */
import { NotMarshalableError } from '@flatshare/core'
import { reach } from '@flatshare/core/internal'
import { attachmentOf, noteAttached, stamp, unlink } from '../handle.js'
import { COUNT, HEADER_BYTES, TYPE } from './block.js'
import { collect, ledger, objects, pages, sections, types } from './engine.js'
import { HeapFullError } from './heap-full-error.js'
import { sharedHeapMemory as memory } from './heap-memory.js'
import { Attachment, Hold } from './hold.js'
import { kindOf } from './kinds.js'
import { KIND_OBJECT } from './pages.js'
import type { TypeId } from './types.js'

const interned = new Map<number, WeakRef<object>>()
const collected = new FinalizationRegistry<Hold>(giveUp)

/**
 * Makes the block of a new object, zeroed, and links it. With `early` the fields have not moved there yet.
 *
 * @throws HeapFullError
 */
export function makeBlock(object: object, type: TypeId, early = false): number {
  let hold: Hold
  try {
    hold = newHold(type)
  } catch (error) {
    if (!(error instanceof HeapFullError) || sections.isInside()) throw error
    collect()
    hold = newHold(type)
  }
  stamp(object, early ? -hold.address : hold.address, new Attachment(hold))
  collected.register(object, hold)
  return hold.address
}

function newHold(type: TypeId): Hold {
  const { bytes } = types.byId(type)
  sections.enter()
  try {
    const address = pages.allocate(KIND_OBJECT, bytes)
    try {
      memory.clear(address, bytes)
      memory.set(address + COUNT, 1)
      memory.set(address + TYPE, type)
      return new Hold(address, ledger.note(address))
    } catch (error) {
      pages.free(address)
      throw error
    }
  } finally {
    sections.leave()
  }
}

/** From now on this handle is found by its address. */
export function intern(address: number, object: object): void {
  if (interned.get(address)?.deref() === object) return
  interned.set(address, new WeakRef(object))
}

/** The handle that this thread has of an object already. */
export function knownAt(address: number): object | undefined {
  return interned.get(address)?.deref()
}

/**
 * This thread's handle of the object at an address that was read from an owning cell, under the lock that guards the
 * cell: so it can't go away meanwhile. Null for 0.
 *
 * @throws NotMarshalableError where this thread doesn't know its class.
 */
export function objectAt(address: number): object | null {
  if (address === 0) return null
  return interned.get(address)?.deref() ?? attach(address)
}

function attach(address: number): object {
  reach(address + HEADER_BYTES)
  const info = types.at(address)
  const kind = info && kindOf(info.kind)
  if (!kind) {
    throw new NotMarshalableError(
      `A ${info?.kind ?? 'thing'} was found in shared memory that this thread doesn't know: import its package here.`,
    )
  }
  reach(address + info.bytes)
  const object = kind.attach(info)
  sections.enter()
  let hold: Hold
  try {
    objects.retain(address)
    hold = new Hold(address, ledger.note(address))
  } finally {
    sections.leave()
  }
  stamp(object, address, new Attachment(hold))
  collected.register(object, hold)
  noteAttached(object)
  // A field that is added would be this thread's alone: let adding one fail.
  Object.preventExtensions(object)
  intern(address, object)
  return object
}

/** Gives up what a handle holds; the object is destroyed if nobody else holds it. */
function giveUp(hold: Hold): void {
  const { address, entry } = hold
  if (entry === 0) return
  hold.entry = 0
  if (interned.get(address)?.deref() === undefined) interned.delete(address)
  sections.enter()
  try {
    ledger.strike(entry)
    objects.release(address)
  } finally {
    sections.leave()
  }
}

/** The object is no handle any more, and this thread holds nothing by it. Nothing happens the second time. */
export function dropHandle(object: object): void {
  const hold = attachmentOf(object)?.hold
  unlink(object)
  if (!hold || hold.entry === 0) return
  if (interned.get(hold.address)?.deref() === object) interned.delete(hold.address)
  giveUp(hold)
}
