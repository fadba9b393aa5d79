/** What another process does with advise sources: its own, and those of the one that opened it. */
import {
  type AdviseConnection,
  AdviseSource,
  byReference,
  currentThread,
  FreeThreaded,
  Interleaved,
  type Notification,
  thisThreadAdviseSink,
} from 'flatshare'

export interface Events {
  made: { readonly i: number }
  gone: { readonly i: number }
}

type Batch = readonly Notification<Events>[]
type Heard = Array<[event: string, i: number]>

let heard: Heard = []
let connection: AdviseConnection | undefined
let unadvised = 0
let waiting: { readonly count: number; resolve(): void } | undefined

function hear(batch: Batch): void {
  for (const { event, payload } of batch) heard.push([event, payload.i])
  if (waiting && heard.length >= waiting.count) waiting.resolve()
}

/** A sink that any thread might have called, were its memory shared. */
class FreeSink {
  declare calls: number
  onNotify(batch: Batch): void {
    this.calls = (this.calls ?? 0) + 1
    hear(batch)
  }
}
FreeThreaded({ name: 'FreeSink', shared: { calls: 'f64' } })(FreeSink)

const sinks = {
  'a function': () => hear,
  'an object': () => ({ onNotify: hear, onUnadvised: () => void unadvised++ }),
  'a wrapped one': () => thisThreadAdviseSink({ onNotify: hear }),
  'a free-threaded one': () => new FreeSink(),
}
export type SinkKind = keyof typeof sinks

export const advise = async (source: any, mask: unknown, kind: SinkKind, options: object = {}): Promise<void> => {
  heard = []
  unadvised = 0
  connection = await source.advise(mask, sinks[kind](), options)
}
export const unadvise = (): unknown => connection!.unadvise()
export const timesUnadvised = (): number => unadvised
/** What the sink has heard, once that is so much. */
export const heardSoFar = async (count = 0): Promise<Heard> => {
  if (heard.length < count) {
    await new Promise<void>((resolve) => {
      waiting = { count, resolve }
    })
  }
  waiting = undefined
  return heard
}
/** How many, and what was not the next one. */
export const heardInOrder = async (count: number): Promise<[number, number | undefined]> => {
  const all = await heardSoFar(count)
  return [all.length, all.find(([, i], place) => i !== place)?.[1]]
}

export const adviseAndUnadviseInside = async (source: any): Promise<number> => {
  let calls = 0
  const inside: AdviseConnection = await source.advise('*', async () => {
    calls++
    await inside.unadvise()
    tell()
  })
  let tell!: () => void
  const told = new Promise<void>((resolve) => {
    tell = resolve
  })
  await source.raise('made', { i: 1 })
  await told
  await source.raise('made', { i: 2 })
  return calls
}
export const adviseAndDie = async (source: any): Promise<void> => {
  await source.advise('*', () => process.kill(process.pid, 'SIGKILL'))
}
export const adviseToThrow = async (source: any, onError: (error: unknown) => void): Promise<void> => {
  connection = await source.advise(
    '*',
    () => {
      throw new RangeError('the sink is full')
    },
    { onError },
  )
}
/** Answers 'stop' to the second one. */
export const adviseToStop = async (source: any): Promise<void> => {
  connection = await source.advise('*', ([{ payload }]: Batch) => (payload.i === 2 ? 'stop' : undefined))
}
export const coalesce = (source: any, latest: (n: Notification<Events>) => unknown): Promise<void> =>
  advise(source, '*', 'a function', { queue: { policy: 'coalesce', key: latest } })

const own = new AdviseSource<Events>({ events: ['made', 'gone'] })
export const ownSource = (): object => own
export const raiseMany = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i++) {
    if (i % 1_000 === 0) await own.room()
    own.raise('made', { i })
  }
}
/** Raises from inside a sink of another process's source, and waits for sinks of its own. */
export const raiseAndWaitInside = async (source: any, told: (message: string) => unknown): Promise<void> => {
  own.advise('*', () => {})
  connection = await source.advise('*', async () => {
    await told(
      await own.raiseAndWait('made', { i: 1 }).then(
        () => 'waited',
        (error: Error) => error.name,
      ),
    )
  })
}

/** Keeps the batch that it has until it is let go on. */
export class SlowSink {
  #goOn: (() => void) | undefined
  #called: (() => void) | undefined
  readonly #sizes: number[] = []
  async onNotify(batch: Batch): Promise<void> {
    this.#sizes.push(batch.length)
    this.#called?.()
    await new Promise<void>((resolve) => {
      this.#goOn = resolve
    })
  }
  @Interleaved() sizes(): number[] {
    return this.#sizes
  }
  @Interleaved() goOn(): void {
    this.#goOn?.()
  }
  @Interleaved() async called(times: number): Promise<void> {
    while (this.#sizes.length < times) {
      await new Promise<void>((resolve) => {
        this.#called = resolve
      })
    }
  }
}
export const slowSink = (): object => byReference(new SlowSink())

/** A sink that is named by its module: it calls back from wherever it runs. */
export const calls = async (
  batch: ReadonlyArray<{ readonly payload: { call(x: unknown): unknown } }>,
): Promise<void> => {
  for (const { payload } of batch) await payload.call([process.pid, currentThread.name])
}
export const adviseByName = async (source: any): Promise<void> => {
  connection = await source.advise('*', new URL('./watcher.js#calls', import.meta.url))
}
