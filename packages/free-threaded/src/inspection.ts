/**
 * How an object shows itself. Its fields are accessors on the prototype, so `Object.keys` gives none of
 * them; `console.log` and `JSON.stringify` show them, by these two methods, unless the class has its own.
 *
 * `console.log` never waits: what only a lock makes readable, as a string, is shown as `…` while somebody
 * else has that. `JSON.stringify` gives data, and reads each field as code outside of the object does.
 */
import { i32, ownThreadId } from '@flatshare/core/internal'
import { makeAccess } from './access.js'
import { addressOf, attachmentOf, DISPOSED } from './handle.js'
import { isInside, leave, TAKEN } from './object-lock.js'
import { type Shape, type Slot, shapeOf } from './shape.js'
import { asJson, jsonOf, showOnce } from './showing.js'
import { snapshot } from './snapshot.js'

const INSPECT = Symbol.for('nodejs.util.inspect.custom')

type Inspect = (x: unknown, options: object) => string

export function showFields({ prototype }: Shape): void {
  if (!(INSPECT in prototype)) hide(prototype, INSPECT, inspectFields)
  if (!('toJSON' in prototype)) hide(prototype, 'toJSON', fieldsOf)
}

function hide(prototype: object, key: PropertyKey, value: unknown): void {
  Object.defineProperty(prototype, key, { value, writable: true, configurable: true })
}

function fieldsOf(this: object): Record<PropertyKey, unknown> {
  return asJson(this, () => shownFields(this, (slot) => jsonOf((this as any)[slot.key], slot.label)))
}

/** The scalars of one moment; the others as `read` gives them. */
function shownFields(object: object, read: (slot: Slot) => unknown): Record<PropertyKey, unknown> {
  const fields: Record<PropertyKey, unknown> = {}
  const scalars = addressOf(object) > 0 ? snapshot(object as Record<PropertyKey, unknown>) : undefined
  for (const [key, slot] of shapeOf(object)?.slots ?? []) {
    fields[key] = scalars && slot.type.isScalar ? (scalars as Record<PropertyKey, unknown>)[key] : read(slot)
  }
  return fields
}

function inspectFields(this: object, depth: number | null, options: object, inspect: Inspect): string {
  const { name } = shapeOf(this)!
  if (addressOf(this) === DISPOSED) return `${name} <disposed of>`
  if (depth !== null && depth < 0) return `[${name}]`
  return showOnce(
    this,
    () =>
      `${name} ${inspect(
        shownFields(this, (slot) => peek(this, slot)),
        { ...options, depth },
      )}`,
  )
}

/** Stands for a value that can't be had now. */
const unavailable = { [INSPECT]: () => '…' }

function peek(object: object, slot: Slot): unknown {
  const address = addressOf(object)
  const { type, group, key, offset, index } = slot
  if (address <= 0 || type.isScalar || type.facade) return (object as any)[key]
  const lock = address + group.lockOffset
  const cache = (attachmentOf(object)!.cache ??= [])
  const read = () =>
    (type.readCached ? type.readCached(address + offset, cache, index) : type.read(address + offset)) as unknown
  if (isInside(lock)) return read()
  if (Atomics.compareExchange(i32, lock >> 2, 0, ownThreadId()) !== 0) return unavailable
  try {
    return read()
  } finally {
    leave(object, lock, makeAccess(`${slot.label}`, group), TAKEN)
  }
}
