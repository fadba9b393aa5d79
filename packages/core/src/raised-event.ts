/**
 * An event as its source keeps it: what it said at the moment of raising.
 *
 * Most payloads are plain objects of a few primitive values. Of such a one only the values are taken, beside its *shape*,
 * the list of its keys: that is cheaper than a frozen copy, and a batch of them is sent by columns. A thread that is to
 * see the event gets its frozen object made there, once.
 *
 *   flat      the values of a plain object of primitives, and its shape; or one primitive, without a shape
 *   copied    anything else: a frozen copy, with the references in it as they are
 */
import { copyFrozen } from './frozen.js'
import { containsReference } from './graph.js'

/** The keys of plain objects, in their order. */
export type Keys = readonly string[]

/** Values by key; those of symbols don't count. */
export type Values = Readonly<Record<string, unknown>>

/** The number of a source's last event. One gets its number once its payload was read: that may run code that raises. */
export interface EventCount {
  last: number
}

/** An event as its sinks see it; its payload is frozen. */
export interface SeenEvent {
  readonly event: string
  readonly payload: unknown
  readonly target?: unknown
  readonly sequence: number
  readonly dropped?: number
}

/** Objects with more keys are copied. */
const MOST_KEYS = 32
/** Objects of further shapes are copied: their keys are rather data. */
const MOST_SHAPES = 1024

const shapes = new Map<string, Keys>()
let last: Keys = []

/** The shape with these keys; undefined where there are too many. */
function shapeOf(keys: string[]): Keys | undefined {
  if (keys.length > MOST_KEYS || keys.includes('__proto__')) return undefined
  const name = JSON.stringify(keys)
  let shape = shapes.get(name)
  if (!shape && shapes.size < MOST_SHAPES) shapes.set(name, (shape = keys))
  return shape
}

export const isPrimitive = (x: unknown): boolean =>
  x === null || (typeof x !== 'object' && typeof x !== 'function' && typeof x !== 'symbol')

/** The frozen object of a shape. */
function ofShape(keys: Keys, values: Values): object {
  const made: Record<string, unknown> = {}
  for (let i = 0; i < keys.length; i++) made[keys[i]!] = values[keys[i]!]
  return Object.freeze(made)
}

/** The frozen object that sinks see. */
export function seen(event: string, payload: unknown, target: unknown, sequence: number, dropped: number): SeenEvent {
  if (target === undefined && dropped === 0) return Object.freeze({ event, payload, sequence })
  return Object.freeze({
    event,
    payload,
    ...(target !== undefined && { target }),
    sequence,
    ...(dropped > 0 && { dropped }),
  })
}

/** A copy of a plain object of primitives, of the shape `last`; undefined for anything else. */
function flatCopy(payload: object): Values | undefined {
  if (Object.getPrototypeOf(payload) !== Object.prototype) return undefined
  // Engines copy so, and have the keys of a `for … in` at hand, in a third of the time of reading values by their keys.
  const copy = { ...payload } as Values
  const keys = last
  let i = 0
  let isOfLast = true
  for (const key in copy) {
    if (key !== keys[i++]) isOfLast = false
    if (!isPrimitive(copy[key])) return undefined
  }
  if (isOfLast && i === keys.length) return copy
  const shape = shapeOf(Object.keys(copy))
  if (!shape) return undefined
  last = shape
  return copy
}

/** The shape of a payload and its values, in the order of the keys; undefined for all but plain objects of primitives. */
export function shapeOfPayload(payload: object): { readonly shape: Keys; readonly values: unknown[] } | undefined {
  const copy = flatCopy(payload)
  if (!copy) return undefined
  const shape = last
  return { shape, values: shape.map((key) => copy[key]) }
}

export class RaisedEvent {
  /** The keys of the values; undefined where `value` is the payload itself. */
  readonly shape: Keys | undefined = undefined
  readonly value: unknown
  readonly sequence: number
  /** Whether it has references in it, which each receiver needs to be sent for itself. */
  readonly refers: boolean
  /** As sinks of this thread see it, once one does. */
  private made: SeenEvent | undefined = undefined

  /** @throws DataCloneError for a payload that can't be copied. */
  constructor(
    readonly event: string,
    payload: unknown,
    readonly target: unknown,
    count: EventCount,
  ) {
    this.refers = target !== undefined && containsReference(target)
    const values = isPrimitive(payload) ? undefined : flatCopy(payload as object)
    if (values) {
      this.shape = last
      this.value = values
    } else {
      this.value = copyFrozen(payload)
      this.refers ||= containsReference(this.value)
    }
    this.sequence = ++count.last
  }

  /** As sinks see it: the same object each time. */
  get seen(): SeenEvent {
    return (this.made ??= seen(this.event, this.payload, this.target, this.sequence, 0))
  }

  /** Whether the payload is a primitive value, or a plain object of such. */
  get isFlat(): boolean {
    return this.shape !== undefined || isPrimitive(this.value)
  }

  get payload(): unknown {
    return this.shape === undefined ? this.value : ofShape(this.shape, this.value as Values)
  }
}
