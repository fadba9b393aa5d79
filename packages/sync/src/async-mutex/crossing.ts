/** How the locks of `async-mutex` cross to other threads: by the address of their words, with the error for `cancel`. */
import { MARSHALER, type Marshaler, reach, registerMarshaler } from '@flatshare/core/internal'
import { E_CANCELED } from './errors.js'
import type { SharedWords } from './shared-words.js'
import { SEMAPHORE_BYTES } from './weighted-semaphore.js'

interface Body {
  address: number
  /** Packed; none for the usual one. */
  cancelError?: unknown
}

/** What is to be known of a class whose instances cross. */
interface Crossing<T> {
  internalsOf(lock: T): { readonly words: SharedWords; readonly cancelError: Error }
  /** Makes one while `addressToAttach` names the words. */
  make(cancelError: Error | undefined): T
}

let attachTo = 0

/** The words that the instance which is being made attaches to, 0 for words of its own. */
export function addressToAttach(): number {
  return attachTo
}

/** One handle a thread to each lock, weakly. */
const handles = new Map<number, WeakRef<object>>()
const collected = new FinalizationRegistry<number>((address) => {
  if (!handles.get(address)?.deref()) handles.delete(address)
})

function keep(address: number, lock: object): void {
  if (handles.get(address)?.deref() === lock) return
  handles.set(address, new WeakRef(lock))
  collected.register(lock, address)
}

/** Lets the instances of a class cross. */
export function letCross<T extends object>(
  Class: abstract new (...args: any[]) => T,
  kind: string,
  crossing: Crossing<T>,
): void {
  const marshaler: Marshaler<T, Body> = {
    kind,
    model: 'free',
    marshal(lock, context) {
      const { words, cancelError } = crossing.internalsOf(lock)
      const body: Body = { address: words.address }
      if (cancelError !== E_CANCELED) body.cancelError = context.pack(cancelError)
      words.cross()
      keep(words.address, lock)
      return body
    },
    unmarshal({ address, cancelError }) {
      const known = handles.get(address)?.deref()
      if (known) return known as T
      reach(address + SEMAPHORE_BYTES)
      attachTo = address
      try {
        const lock = crossing.make(cancelError as Error | undefined)
        keep(address, lock)
        return lock
      } finally {
        attachTo = 0
      }
    },
  }
  Object.defineProperty(Class.prototype, MARSHALER, { value: marshaler })
  registerMarshaler(marshaler)
}
