/**
 * Async iterables, async iterators and iterators (what generators give) cross by reference: what arrives iterates the
 * original at home; see `iteration.ts`. What comes home is the original; the same one sent twice arrives as one.
 */
import { NotMarshalableError } from '@flatshare/core'
import { currentCall, type Marshaler, registerMarshaler } from '@flatshare/core/internal'
import { isOfGenerator } from './call-result.js'
import { type Open, PULL, type Step } from './iteration.js'
import { arrivingLimit, type IterationLimit } from './iteration-limit.js'
// Before this one: what is marked by reference stays a proxy, and streams are iterable as well.
import './reference-marshaler.js'
import './stream-marshalers.js'
import { RemoteIterable, RemoteIteration } from './remote-iteration.js'
import { type AnyIterator, SourceIteration } from './source-iteration.js'

interface Body {
  /** Of an iterator. */
  readonly step?: unknown
  /** Of an iterable. */
  readonly open?: unknown
}

type AnyIterable = Partial<AsyncIterable<unknown>> & Partial<Iterable<unknown>> & Partial<AnyIterator>

const LABEL = 'asyncIterator.next'

const steps = new WeakMap<object, Step>()
const opens = new WeakMap<object, Open>()
/** What this thread has sent, by the function by which it is reached. */
const originals = new WeakMap<object, object>()
/** What has arrived, by the proxy of that function. */
const arrived = new WeakMap<object, object>()

function stepOf(iterator: AnyIterator): Step {
  let step = steps.get(iterator)
  if (!step) {
    step = new SourceIteration(iterator, LABEL).step
    steps.set(iterator, step)
    originals.set(step, iterator)
  }
  return step
}

function openOf(iterable: AsyncIterable<unknown>): Open {
  let open = opens.get(iterable)
  if (!open) {
    open = async (credit, whole) => {
      const signal = currentCall()?.signal
      const source = new SourceIteration(iterable[Symbol.asyncIterator]() as AnyIterator, LABEL)
      // Before the first answer its caller has no way to it but this call.
      const abandon = () => source.abandon(signal!.reason)
      signal?.addEventListener('abort', abandon)
      try {
        const first = await source.step(PULL, credit, whole)
        if (signal?.aborted) abandon()
        return [first[1] ? undefined : source.step, first]
      } finally {
        signal?.removeEventListener('abort', abandon)
      }
    }
    Object.defineProperty(open, 'name', { value: LABEL })
    opens.set(iterable, open)
    originals.set(open, iterable)
  }
  return open
}

function isIterable(x: object): boolean {
  if (typeof x === 'function') return false
  if (x instanceof Promise) return isOfGenerator(x)
  const iterable = x as AnyIterable
  if (typeof iterable[Symbol.asyncIterator] === 'function') return true
  return typeof iterable[Symbol.iterator] === 'function' && typeof iterable.next === 'function'
}

/** What has come before, as a call with limits gives it. An iterable is there for others as well: this is one apart. */
function limited(known: object, limit: IterationLimit): object {
  if (known instanceof RemoteIteration) known.limitBy(limit)
  return known instanceof RemoteIterable ? new RemoteIterable(known.open, limit) : known
}

const iterableMarshaler: Marshaler<AnyIterable, Body> = {
  kind: 'iterable',
  apart: 'same',
  model: undefined,
  claim: isIterable,
  marshal(x, context) {
    if (context.table) {
      throw new NotMarshalableError(
        "A table packet can't carry an iterator: it is for one receiver. Marshal it for each.",
      )
    }
    if (x instanceof RemoteIterable) return { open: context.pack(x.open) }
    // What hasn't begun is handed on as it is; else the items that came already go by this thread.
    if (x instanceof RemoteIteration && x.step && !x.begun) return { step: context.pack(x.step) }
    if (typeof x.next === 'function') return { step: context.pack(stepOf(x as AnyIterator)) }
    return { open: context.pack(openOf(x as AsyncIterable<unknown>)) }
  },
  unmarshal({ step, open }) {
    const reached = step ?? open
    if (typeof reached !== 'function') throw new NotMarshalableError('An iterator arrived without a way to its home.')
    const known = originals.get(reached) ?? arrived.get(reached)
    const limit = arrivingLimit()
    if (known) return (limit ? limited(known, limit) : known) as AnyIterable
    if (open && limit) return new RemoteIterable(open as Open, limit) as AnyIterable
    const remote = step ? new RemoteIteration(step as Step, undefined, limit) : new RemoteIterable(open as Open)
    arrived.set(reached, remote)
    return remote as AnyIterable
  },
}

registerMarshaler(iterableMarshaler)
