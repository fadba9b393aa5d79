/** Collecting the garbage of this thread, and hearing of what was collected. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void

let gone = false
const registry = new FinalizationRegistry(() => {
  gone = true
})

/** Collects this thread's garbage; finalizers run before the answer. */
export async function collect(): Promise<void> {
  gc()
  await new Promise((resolve) => setImmediate(resolve))
}

/** Watches one object. */
export function collectionOf(object: object): void {
  registry.register(object, undefined)
}

/** Whether an object that was watched has been collected. */
export const collected = (): boolean => gone
