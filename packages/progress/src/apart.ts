/**
 * How a progress crosses to another process: there is one at each end, and each tells the other what has changed, by
 * functions that cross by reference.
 *
 *   sender → receiver   made, and a function of the sender's
 *   receiver → sender   that function: 'connect' with a function of the receiver's, then 'changed' …
 *   sender → receiver   that function: changed …
 *
 * The same one sent twice arrives as one; what comes home is the original; what is handed on to a third process is
 * connected with this one. If the sender's process ends before the progress has, the receiver's is cancelled: nobody is
 * left for whom to go on.
 */
import { DisconnectedError, NotMarshalableError } from '@flatshare/core'
import { type Marshaler, registerMarshaler, type ThreadId } from '@flatshare/core/internal'
import { type Changed, type Made, Mirror, madeFrom, madeOf } from './mirror.js'
import { crossApartBy, type Progress } from './progress.js'

interface Body {
  readonly made: Made
  readonly talk: unknown
}

type Hear = (changed: Changed) => unknown
/** Here it gives nothing, there a promise. */
type Talk = (what: 'connect' | 'changed', x: Hear | Changed) => unknown

/** One receiver's way to a progress of this thread. */
interface Sent {
  readonly talk: Talk
  /** What that knows of it, also where it is sent once more. */
  readonly made: Made
}

const sent = new WeakMap<Progress, Map<ThreadId | undefined, Sent>>()
const originals = new WeakMap<object, Progress>()
/** What has arrived, by the proxy of the sender's function, and that the other way round. */
const arrived = new WeakMap<object, Progress>()
const ways = new WeakMap<Progress, { readonly talk: Talk; readonly from: ThreadId }>()

function isChange(x: unknown): x is Changed {
  const { progress, add } = (x ?? {}) as Partial<Changed>
  return progress === 'changed' && typeof add === 'number' && add >= 0
}

/** Tells the other end; `lost` where that can't be reached. */
const teller = (tell: (changed: Changed) => unknown, lost: () => void) => ({
  postMessage(message: unknown): void {
    void Promise.resolve(tell(message as Changed)).catch(lost)
  },
})

function sentTo(progress: Progress, to: ThreadId | undefined): Sent {
  let known = sent.get(progress)
  if (!known) sent.set(progress, (known = new Map()))
  let found = known.get(to)
  if (!found) {
    const made = madeOf(progress)
    let hear: Hear | undefined
    const port = teller(
      (changed) => hear?.(changed),
      () => mirror.end(),
    )
    const mirror = new Mirror(progress, port, made, false)
    const talk: Talk = (what, x) => {
      if (what === 'changed' && isChange(x)) mirror.receive(x)
      else if (what === 'connect' && typeof x === 'function' && !hear) {
        hear = x
        void mirror.run(undefined)
      }
    }
    Object.defineProperty(talk, 'name', { value: 'Progress' })
    known.set(to, (found = { talk, made }))
    originals.set(talk, progress)
  }
  return found
}

const apart: Marshaler<Progress, Body> = {
  kind: 'progress apart',
  model: undefined,
  apart: 'same',
  marshal(progress, context) {
    const way = ways.get(progress)
    const { talk, made } =
      way && way.from === context.to ? { ...way, made: madeOf(progress) } : sentTo(progress, context.to)
    return { made, talk: context.pack(talk) }
  },
  unmarshal({ made, talk }, { from }) {
    if (typeof talk !== 'function') throw new NotMarshalableError('A progress arrived without a way to its home.')
    const known = originals.get(talk) ?? arrived.get(talk)
    if (known) return known
    const progress = madeFrom(made)
    const tell = talk as Talk
    const lost = () => {
      mirror.end()
      progress.cancel(new DisconnectedError('The process from which the progress came has ended.'))
    }
    const port = teller((changed) => tell('changed', changed), lost)
    const mirror = new Mirror(progress, port, made, false)
    arrived.set(talk, progress)
    ways.set(progress, { talk: tell, from })
    const hear: Hear = (changed) => {
      if (isChange(changed)) mirror.receive(changed)
    }
    void Promise.resolve(tell('connect', hear)).catch(lost)
    void mirror.run(undefined)
    return progress
  },
}
registerMarshaler(apart)
crossApartBy(apart)
