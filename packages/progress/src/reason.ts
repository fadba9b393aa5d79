/**
 * Why a progress was cancelled, for the threads that learn of it from shared memory.
 *
 * The thread that cancels keeps the very reason; others get an error with the same class, message and
 * own fields, or a copy of what JSON can carry.
 */
import { currentThread } from '@flatshare/core'
import { type MarshalContext, marshalerFor } from '@flatshare/core/internal'

/** What is thrown where no reason was given. */
export function defaultReason(label: string): DOMException {
  return new DOMException(label ? `"${label}" was cancelled` : 'The operation was cancelled', 'AbortError')
}

const scalarsOnly: MarshalContext = {
  transferList: [],
  to: undefined,
  table: false,
  pack(value) {
    if (typeof value === 'object' && value !== null) throw new TypeError('not a scalar')
    return value
  },
}

/** The reason as text; undefined where it can't be told. */
export function packReason(reason: unknown): string | undefined {
  try {
    if (reason instanceof Error) return JSON.stringify({ error: marshalerFor('error')!.marshal(reason, scalarsOnly) })
    const value = JSON.stringify(reason)
    return value === undefined ? undefined : `{"value":${value}}`
  } catch {
    return undefined
  }
}

export function unpackReason(text: string): unknown {
  const packed = JSON.parse(text) as { error?: unknown; value?: unknown }
  if (packed.error === undefined) return packed.value
  return marshalerFor('error')!.unmarshal(packed.error, { from: currentThread.id })
}
