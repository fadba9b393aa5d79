/** The error for a reference that nothing on this thread unmarshals, with what to do. */
import { NotMarshalableError } from './errors.js'

const APARTMENT = '@flatshare/apartment'
const ADVISE_SINK = '@flatshare/advise-sink'
const FREE_THREADED = '@flatshare/free-threaded'
const SYNC = '@flatshare/sync'
const ASYNC_MUTEX = '@flatshare/sync/async-mutex'

/** The packages that unmarshal references of these kinds. */
const packages: Readonly<Record<string, string>> = {
  'abort-signal': APARTMENT,
  iterable: APARTMENT,
  'readable-stream': APARTMENT,
  reference: APARTMENT,
  single: APARTMENT,
  'stream-pair': APARTMENT,
  'writable-stream': APARTMENT,
  'advise source': ADVISE_SINK,
  free: FREE_THREADED,
  'free, undecorated': FREE_THREADED,
  progress: '@flatshare/progress',
  'async-mutex mutex': ASYNC_MUTEX,
  'async-mutex semaphore': ASYNC_MUTEX,
  barrier: SYNC,
  condition: SYNC,
  latch: SYNC,
  mutex: SYNC,
  once: SYNC,
  rwlock: SYNC,
  semaphore: SYNC,
  signal: SYNC,
}

/** What the kinds end in that cross to threads which share no memory with the sender. */
const APART = ' apart'

/** A reference of this kind arrived. An import of types alone, which compilers leave out, isn't enough for it. */
export function missingMarshaler(kind: string): NotMarshalableError {
  const plain = kind.endsWith(APART) ? kind.slice(0, -APART.length) : kind
  const name = Object.hasOwn(packages, plain) ? packages[plain] : undefined
  const arrived = `A reference of kind "${kind}" arrived, but this thread hasn't imported`
  return new NotMarshalableError(
    name
      ? `${arrived} the package that unmarshals it: import '${name}' there. (An import of types alone is left out when ` +
          'the program is built.)'
      : `${arrived} the package that unmarshals it.`,
  )
}
