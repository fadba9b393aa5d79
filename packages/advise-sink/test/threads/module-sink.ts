/** Sinks that are named by their module: they call back by what they are notified of. */
import { currentThread } from '@flatshare/core'

type Batch = ReadonlyArray<{ readonly payload: { readonly call: (x: unknown) => unknown } }>

export async function onNotify(batch: Batch): Promise<void> {
  for (const { payload } of batch) await payload.call([currentThread.id, currentThread.name])
}

export const sink = { onNotify }

/** Ends its thread when it has called back. */
export async function die(batch: Batch): Promise<void> {
  await onNotify(batch)
  process.exit()
}

/** Calls back, and leaves something behind that fails. */
export async function failLater(batch: Batch): Promise<void> {
  await onNotify(batch)
  setTimeout(() => {
    throw new RangeError('left behind')
  })
}

export const noSink = 5
