/** A module whose exports are served: a sink that notes what it hears, for a source of another thread. */
import type { Notification } from '@flatshare/advise-sink'

export interface Flood {
  tick: number | string | bigint | null | undefined
  moved: object
  other: object
}

const heard: Notification<Flood>[] = []
let frozen = true
let waiting: { readonly count: number; resolve(): void } | undefined
let go: (() => void) | undefined

/** A sink; one that is `held` goes on with its first batch only when it is let go. */
export function sink(held = false) {
  let first = held
  return async (batch: readonly Notification<Flood>[]) => {
    if (first) {
      first = false
      await new Promise<void>((resolve) => {
        go = resolve
      })
    }
    for (const one of batch) {
      heard.push(one)
      frozen &&= Object.isFrozen(one.payload)
    }
    if (waiting && heard.length >= waiting.count) waiting.resolve()
  }
}

export const letGo = (): void => go?.()

/** What was heard, once it is so much. */
export async function take(count: number): Promise<Notification<Flood>[]> {
  if (heard.length < count) await new Promise<void>((resolve) => (waiting = { count, resolve }))
  waiting = undefined
  return heard.splice(0)
}

export const allFrozen = (): boolean => frozen

const lists: unknown[][] = []

/** A sink with a list of its own. */
export function listing(number: number) {
  const list: unknown[] = (lists[number] = [])
  return (batch: readonly Notification<Flood>[]) => {
    for (const { event, payload, sequence } of batch) list.push([event, payload, sequence])
  }
}

export const listed = (number: number): readonly unknown[] => lists[number]!
