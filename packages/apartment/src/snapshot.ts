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
    return containsReference(value) ? undefined : { value: structuredClone(value) }
  } catch {
    return undefined
  }
}
