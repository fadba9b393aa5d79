/** What waits to be sent arrives as it was when it began to wait. */
import { containsReference } from '@flatshare/core/internal'

/**
 * The value as it is now, whatever becomes of the original. Undefined where it must not wait: where it contains
 * references, or what moves or can't be cloned, only sending it takes it as it is, or tells why it can't cross.
 */
export function snapshot(value: unknown): { readonly value: unknown } | undefined {
  if (typeof value === 'symbol' || typeof value === 'function') return undefined
  if (typeof value !== 'object' || value === null) return { value }
  try {
    return containsReference(value) ? undefined : { value: copyOf(value) }
  } catch {
    return undefined
  }
}

type ViewOf = new (buffer: ArrayBuffer) => ArrayBufferView

/** Of a view only what it shows: many views of one large buffer would else copy the whole of it as many times. */
function copyOf(value: object): object {
  if (!ArrayBuffer.isView(value)) return structuredClone(value)
  const { buffer, byteOffset, byteLength } = value
  if (!(buffer instanceof ArrayBuffer) || byteLength === buffer.byteLength) return structuredClone(value)
  // Of the class as which a clone of it arrives.
  const name = Object.prototype.toString.call(value).slice('[object '.length, -1)
  const View = (globalThis as unknown as Record<string, ViewOf>)[name]!
  return new View(buffer.slice(byteOffset, byteOffset + byteLength))
}
