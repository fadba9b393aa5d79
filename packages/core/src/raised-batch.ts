/**
 * A batch of events on its way to a sink: a list of its own, wherever it arrives, of events with frozen payloads. Where
 * several sinks may have the same events, these are frozen too; for a single one that would be a fifth of its work.
 *
 * Without references in it, it is encoded once, however many sinks get it, by columns: which event, which keys, the
 * values. A thread where batches arrive for several sinks decodes each once, unless its events were collected
 * meanwhile; all of them see the same ones. With references it is packed for each receiver.
 *
 * The bytes hold, as one value:
 *
 *   count      how many there are
 *   names      the events' names                 kinds     for each event, the index of its name, where there are several
 *   shapes     the lists of keys                 forms     for each event, the index of its shape, -1 for none; or the one
 *                                                          number that holds for all
 *   columns    for each shape, and last for events without one, a list of columns: for each key the values of its events
 *   first      the first sequence number         gaps      where they don't follow one another: all of them
 *   targets    [index, target] of the events that have one
 *   dropped    how many were dropped before the first
 *
 * A column of numbers is a typed array, one of equal values holds it once, any other is a list.
 */
import { decodeValue, encodeValue } from './codec.js'
import { internedKey } from './codec-keys.js'
import { NotMarshalableError } from './errors.js'
import { freezeDeeply, frozenAfar } from './frozen.js'
import { keepOne } from './kept-shapes.js'
import { onThreadExitInternal } from './lifecycle.js'
import { MARSHALER, type Marshaler, registerMarshaler } from './marshaler.js'
import { type Keys, type RaisedEvent, type SeenEvent, seen, type Values } from './raised-event.js'
import { type Column, RunPart } from './raised-run.js'
import { RecentLists } from './recent-lists.js'
import { ownThreadId, type ThreadId } from './threads.js'

/** The columns of a batch; see above. */
type Columns = readonly [
  count: number,
  names: readonly string[],
  kinds: Uint16Array | undefined,
  shapes: readonly Keys[],
  forms: Int16Array | number,
  columns: ReadonlyArray<readonly Column[]>,
  first: number,
  gaps: Float64Array | undefined,
  targets: ReadonlyArray<readonly [index: number, target: unknown]>,
  dropped: number,
]

/** What crosses: bytes and the number of the batch among those of its thread, or, with references, the list. */
interface Body {
  readonly bytes?: Uint8Array
  readonly number?: number
  readonly list?: unknown
}

let lastNumber = 0

/** What a batch holds: events, or a part of a run of them. */
export type Raised = readonly RaisedEvent[] | RunPart

export class RaisedBatch {
  readonly number = ++lastNumber
  readonly #raised: Raised
  readonly #dropped: number
  #bytes: Uint8Array | undefined
  #list: SeenEvent[] | undefined

  /** @param dropped how many were dropped before the first. */
  constructor(raised: Raised, dropped: number) {
    this.#raised = raised
    this.#dropped = dropped
  }

  get length(): number {
    return this.#raised.length
  }

  /** What another thread is sent: it arrives as the list. */
  get sent(): this {
    return this
  }

  /** Whether a batch of these events would be this one. */
  isOf(raised: Raised, dropped: number): boolean {
    const own = this.#raised
    if (own.length !== raised.length || this.#dropped !== dropped) return false
    if (own instanceof RunPart) return raised instanceof RunPart && own.run === raised.run && own.from === raised.from
    if (raised instanceof RunPart) return false
    for (let i = 0; i < own.length; i++) if (own[i] !== raised[i]) return false
    return true
  }

  /** As a sink of this thread sees it: a list of its own. */
  get list(): readonly SeenEvent[] {
    return frozenAfar((this.#list ??= this.seen()).slice())
  }

  /** @internal */
  seen(): SeenEvent[] {
    if (this.#raised instanceof RunPart) return listOf(columnsOfPart(this.#raised, this.#dropped))
    const list = this.#raised.map((raised) => raised.seen)
    if (this.#dropped > 0) {
      const { event, payload, target, sequence } = list[0]!
      list[0] = seen(event, payload, target, sequence, this.#dropped)
    }
    return list
  }

  /** @internal */
  body(pack: (value: unknown) => unknown): Body {
    const raised = this.#raised
    if (raised instanceof RunPart) this.#bytes ??= encodeValue(columnsOfPart(raised, this.#dropped))
    else if (raised.some(({ refers }) => refers)) return { list: pack(this.seen()) }
    else this.#bytes ??= encodeValue(columnsOf(raised, this.#dropped))
    return { bytes: this.#bytes, number: this.number }
  }
}

keepOne(new RaisedBatch([], 0))

/** A part of a run has its columns already: one name, one shape, no targets. */
function columnsOfPart({ run, from, to, length }: RunPart, dropped: number): Columns {
  const { event, shape } = run
  const columns = run.columns(from, to)
  const gaps = run.gaps(from, to)
  const first = run.first + from
  if (!shape) return [length, [event], undefined, [], -1, [columns], first, gaps, [], dropped]
  return [length, [event], undefined, [shape], 0, [columns, [[]]], first, gaps, [], dropped]
}

function columnsOf(events: readonly RaisedEvent[], dropped: number): Columns {
  const [names, shapes]: [string[], Keys[]] = [[], []]
  const [kinds, forms] = [new Uint16Array(events.length), new Int16Array(events.length)]
  const groups: RaisedEvent[][] = []
  const loose: unknown[] = []
  const targets: Array<[number, unknown]> = []
  const first = events[0]!.sequence
  let gaps: Float64Array | undefined
  for (let i = 0; i < events.length; i++) {
    const raised = events[i]!
    const { event, shape, target, sequence } = raised
    kinds[i] = indexIn(names, event)
    if (shape === undefined) {
      forms[i] = -1
      loose.push(raised.value)
    } else {
      const form = (forms[i] = indexIn(shapes, shape))
      if (form === groups.length) groups.push([])
      groups[form]!.push(raised)
    }
    if (target !== undefined) targets.push([i, target])
    if (sequence !== first + i) gaps ??= Float64Array.from(events, (raised) => raised.sequence)
  }
  const columns = shapes.map((keys, form) => keys.map((key) => columnOf(groups[form]!, key)))
  const [several, mixed] = [names.length > 1, shapes.length > 1 || (shapes.length === 1 && loose.length > 0)]
  return [
    events.length,
    names,
    several ? kinds : undefined,
    shapes,
    mixed ? forms : forms[0]!,
    [...columns, [loose]],
    first,
    gaps,
    targets,
    dropped,
  ]
}

/** They are few, and mostly the last one is asked for again. */
function indexIn<T>(list: T[], wanted: T): number {
  if (list.length > 0 && list[list.length - 1] === wanted) return list.length - 1
  const index = list.lastIndexOf(wanted)
  return index >= 0 ? index : list.push(wanted) - 1
}

/** The values of one key. */
function columnOf(events: readonly RaisedEvent[], key: string): Column {
  const valueAt = (i: number) => (events[i]!.value as Values)[key]
  const value = valueAt(0)
  let i = 1
  while (i < events.length && Object.is(valueAt(i), value)) i++
  if (i === events.length) return { all: value }
  if (typeof value === 'number') {
    const numbers = new Float64Array(events.length)
    for (i = 0; i < events.length; i++) {
      const number = valueAt(i)
      if (typeof number !== 'number') break
      numbers[i] = number
    }
    if (i === events.length) return numbers
  }
  return events.map((raised) => (raised.value as Values)[key])
}

/** The frozen object of a shape, of the values in the columns at a place. */
function payloadOf(keys: Keys, columns: ReadonlyArray<ArrayLike<unknown>>, place: number): object {
  const made: Record<string, unknown> = {}
  const count = keys.length
  // The first keys have a store each: one that always sets the same key is several times as fast.
  if (count > 0) made[keys[0]!] = columns[0]![place]
  if (count > 1) made[keys[1]!] = columns[1]![place]
  if (count > 2) made[keys[2]!] = columns[2]![place]
  if (count > 3) made[keys[3]!] = columns[3]![place]
  for (let i = 4; i < count; i++) made[keys[i]!] = columns[i]![place]
  return Object.freeze(made)
}

/** A column that has the values at their places: no more than `count`. */
function spread(column: Column, count: number): ArrayLike<unknown> {
  return 'all' in column ? new Array<unknown>(count).fill(column.all) : column
}

/** @param shared whether several sinks may see the events: then these are frozen, else only their payloads. */
function listOf(batch: Columns, shared = true): SeenEvent[] {
  const [count, names, kinds, shapes, forms, columns, first, gaps, targets, dropped] = batch
  const spreadOut = columns.map((ofShape) => ofShape.map((column) => spread(column, count)))
  if (forms === 0 && !kinds && !gaps && targets.length === 0 && dropped === 0) {
    return alike(count, names[0]!, shapes[0]!, spreadOut[0]!, first, shared)
  }
  const list: SeenEvent[] = []
  const loose = spreadOut[shapes.length]![0]!
  const places = new Uint32Array(shapes.length + 1)
  let target = 0
  for (let i = 0; i < count; i++) {
    const event = names[kinds ? kinds[i]! : 0]!
    const sequence = gaps ? gaps[i]! : first + i
    const form = typeof forms === 'number' ? forms : forms[i]!
    let payload: unknown
    if (form >= 0) payload = payloadOf(shapes[form]!, spreadOut[form]!, places[form]!++)
    else {
      payload = loose[places[shapes.length]!++]
      if (typeof payload === 'object' && payload !== null) freezeDeeply(payload, new Set())
    }
    const about = target < targets.length && targets[target]![0] === i ? targets[target++]![1] : undefined
    list.push(seen(event, payload, about, sequence, i === 0 ? dropped : 0))
  }
  return list
}

/** Most events of a flood are of one name and one shape, and one follows the other. */
function alike(
  count: number,
  event: string,
  keys: Keys,
  columns: ReadonlyArray<ArrayLike<unknown>>,
  first: number,
  shared: boolean,
): SeenEvent[] {
  const list = new Array<SeenEvent>(count)
  for (let i = 0; i < count; i++) {
    const one = { event, payload: payloadOf(keys, columns, i), sequence: first + i }
    list[i] = shared ? Object.freeze(one) : one
  }
  return list
}

/** By the thread that they came from. */
const recentLists = new Map<ThreadId, RecentLists<SeenEvent>>()
onThreadExitInternal(({ id }) => void recentLists.delete(id))

function decoded(bytes: Uint8Array, shared: boolean): SeenEvent[] {
  const columns = decodeValue(bytes) as Columns
  for (const keys of columns[3] as string[][]) for (let i = 0; i < keys.length; i++) keys[i] = internedKey(keys[i]!)
  return listOf(columns, shared)
}

/** Between processes as the list: bytes of strangers could name shared memory. */
const apart: Marshaler<RaisedBatch, { readonly list?: unknown }> = {
  kind: 'raised apart',
  model: undefined,
  apart: 'same',
  marshal: (batch, context) => ({ list: context.pack(batch.seen()) }),
  unmarshal({ list }) {
    if (!Array.isArray(list)) throw new NotMarshalableError('A batch of events arrived without its events.')
    for (const value of list) freezeDeeply(value, new Set())
    return frozenAfar(list as SeenEvent[]) as never
  },
}
registerMarshaler(apart)

const marshaler: Marshaler<RaisedBatch, Body> = {
  kind: 'raised',
  model: undefined,
  apart,
  marshal: (batch, context) => batch.body((value) => context.pack(value)),
  unmarshal({ bytes, number, list }, { from }) {
    if (!bytes) {
      for (const value of list as unknown[]) freezeDeeply(value, new Set())
      return frozenAfar(list as SeenEvent[]) as never
    }
    if (from === ownThreadId()) return frozenAfar(decoded(bytes, true)) as never
    let lists = recentLists.get(from)
    if (!lists) recentLists.set(from, (lists = new RecentLists()))
    return frozenAfar(lists.get(number!, (shared) => decoded(bytes, shared))) as never
  },
}
Object.defineProperty(RaisedBatch.prototype, MARSHALER, { value: marshaler })
registerMarshaler(marshaler)
