/** Disposing of what threads had in their contexts: the value that was made last goes first, and no error stops the rest. */
import { holdOpen } from '@flatshare/core/internal'

/** The per-thread values of one object on one thread; those not made yet are missing. */
export type ContextRecord = Record<PropertyKey, unknown>

type Ending = Partial<Disposable & AsyncDisposable>

export function isDisposable(value: unknown): value is Ending {
  if (typeof value !== 'object' || value === null) return false
  return Symbol.dispose in value || Symbol.asyncDispose in value
}

function* lastFirst(records: readonly ContextRecord[]): Generator<Ending> {
  for (const record of records) {
    for (const key of Reflect.ownKeys(record).reverse()) {
      const value = record[key]
      if (isDisposable(value)) yield value
    }
  }
}

/** Disposes of all at once; what can only be disposed of asynchronously is begun. Gives what went wrong. */
export function disposeNow(records: readonly ContextRecord[]): unknown[] {
  const errors: unknown[] = []
  for (const value of lastFirst(records)) {
    try {
      if (value[Symbol.dispose]) value[Symbol.dispose]!()
      else void awaited(value[Symbol.asyncDispose]?.()).catch(report)
    } catch (error) {
      errors.push(error)
    }
  }
  return errors
}

/** Disposes of one after the other, asynchronously where a value can. Gives what went wrong. */
export async function disposeOf(records: readonly ContextRecord[]): Promise<unknown[]> {
  const errors: unknown[] = []
  for (const value of lastFirst(records)) {
    try {
      if (value[Symbol.asyncDispose]) await awaited(value[Symbol.asyncDispose]!())
      else value[Symbol.dispose]?.()
    } catch (error) {
      errors.push(error)
    }
  }
  return errors
}

/** The thread doesn't end before a value has ended, as far as that is up to its event loop. */
async function awaited(ending: PromiseLike<void> | undefined): Promise<void> {
  const release = holdOpen()
  try {
    await ending
  } finally {
    release()
  }
}

/** As an uncaught error: nobody waits for it. */
export function report(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}
