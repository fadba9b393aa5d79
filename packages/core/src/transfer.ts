/** Values that are moved to another thread instead of copied. */
import { NotMarshalableError } from './errors.js'

const lists = new WeakMap<object, readonly object[]>()
/** Nothing is looked up for programs that never transfer. */
let used = false

/**
 * Says that `value` moves when it crosses to another thread: what is listed is transferred with it, not copied, and
 * is unusable here from then on. It may stand anywhere in an argument, in a result, in what a generator yields, or in
 * what `marshal` packs. It gives the same value back.
 *
 * It says so of the value, for good: sent again, it is refused, as what it listed is gone. A stream moves without this.
 *
 * @param value what is sent: the thing to move, a view of its buffer, or an object that contains it.
 * @param list what moves: buffers, message ports, image bitmaps, whatever the platform can transfer; by default
 * `value` itself, or the buffer of which it is a view.
 * @throws TypeError for what can't be transferred: plain objects, views (list their buffer), shared memory.
 * @throws NotMarshalableError, from the call that sends it, when something listed is detached already.
 * @example
 * await images.blur(transfer(pixels))            // a Uint8Array: its buffer moves
 * return transfer({ width, pixels }, [pixels.buffer])
 */
export function transfer<T extends object>(value: T, list?: readonly object[]): T {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) {
    throw new TypeError('transfer takes an object: other values are copied, and nothing is lost by that.')
  }
  const moved = list ?? [ArrayBuffer.isView(value) ? value.buffer : value]
  if (!Array.isArray(moved)) throw new TypeError('transfer takes a list of what moves as its second argument.')
  for (const x of moved) requireTransferable(x)
  used = true
  lists.set(value, [...new Set([...(lists.get(value) ?? []), ...moved])])
  return value
}

function requireTransferable(x: unknown): void {
  if (typeof x !== 'object' || x === null)
    throw new TypeError(`A ${x === null ? 'null' : typeof x} can't be transferred.`)
  if (ArrayBuffer.isView(x))
    throw new TypeError("A view can't be transferred: list its buffer, transfer(x, [x.buffer]).")
  if (typeof SharedArrayBuffer !== 'undefined' && x instanceof SharedArrayBuffer) {
    throw new TypeError("A SharedArrayBuffer can't be transferred: it crosses as itself, and both threads use it.")
  }
  const prototype: unknown = Object.getPrototypeOf(x)
  if (prototype === Object.prototype || prototype === null || Array.isArray(x)) {
    throw new TypeError(
      "A plain object can't be transferred: list what moves inside it, transfer(x, [x.pixels.buffer]).",
    )
  }
}

/** What moves when `x` crosses. */
export function transferListOf(x: object): readonly object[] | undefined {
  return used ? lists.get(x) : undefined
}

/** Whether the value itself was given to `transfer`; what stands inside isn't looked for. */
export function moves(x: unknown): boolean {
  return typeof x === 'object' && x !== null && transferListOf(x) !== undefined
}

/** Refuses a buffer that was transferred before; the platform itself refuses other things. */
export function requireAttached(x: object, trail: readonly string[]): void {
  if (!(x instanceof ArrayBuffer) || x.byteLength > 0 || !isDetached(x)) return
  const place = trail.length > 0 ? ` at ${trail.join('.')}` : ''
  throw new NotMarshalableError(
    `A value can't cross to another thread: it lists an ArrayBuffer${place} that was transferred before, and so is ` +
      'detached. Send a copy, or the buffer that came back.',
  )
}

function isDetached(buffer: ArrayBuffer): boolean {
  const { detached } = buffer as { detached?: boolean }
  if (detached !== undefined) return detached
  try {
    new Uint8Array(buffer)
    return false
  } catch {
    return true
  }
}
