/**
 * Streams move to another thread: the one that was sent is locked from then on, and what arrives takes its place.
 *
 * A readable stream is read at home as an iterator is iterated (see `iteration.ts`): only what is read there is read
 * here, in batches; `cancel` cancels the original, an error of the original arrives after what was read before it.
 *
 * A writable stream is written to from there, in batches as well; see `remote-writable.ts`.
 *
 * When the thread that holds the other end of a stream ends, or drops it, the original is cancelled or aborted.
 */
import { DisconnectedError, NotMarshalableError } from '@flatshare/core'
import { type MarshalContext, type Marshaler, registerMarshaler } from '@flatshare/core/internal'
import type { Step } from './iteration.js'
import { isProxy, release } from './proxy.js'
import './reference-marshaler.js'
import { RemoteIteration } from './remote-iteration.js'
import { ABORT, CLOSE, type Sink, WRITE, writableFrom } from './remote-writable.js'
import { type AnyIterator, SourceIteration } from './source-iteration.js'
import { whenUnheld } from './stub.js'

/** A stream that was sent, and its lock. */
interface Sent<S> {
  readonly stream: S
  readonly lock: { releaseLock(): void }
}

const sent = new WeakMap<object, Sent<ReadableStream | WritableStream>>()
/** Streams that arrived, by the function of the home thread; none that was used already. */
const arrivedReadable = new WeakMap<ReadableStream, { step: Step; iteration: RemoteIteration }>()
/** How to take back what packing did. */
const undo = new WeakMap<object, () => void>()

function requireFree(stream: ReadableStream | WritableStream, context: MarshalContext, verb: string): void {
  const what = verb === 'read' ? 'a ReadableStream' : 'a WritableStream'
  if (context.table) {
    throw new NotMarshalableError(`A table packet can't carry ${what}: it is for one receiver.`)
  }
  if (stream.locked) {
    throw new NotMarshalableError(
      `A value can't cross to another thread: it contains ${what} that is locked. One who has it can ${verb} it: ` +
        'it was sent before, or has a reader or writer of its own here.',
    )
  }
}

/** Packs the function; where it can't go, the stream is free again. */
function packUnder(lock: { releaseLock(): void }, fn: Function, context: MarshalContext): unknown {
  try {
    return context.pack(fn)
  } catch (error) {
    lock.releaseLock()
    throw error
  }
}

const dropped = () => new DisconnectedError('The stream was dropped on the thread to which it had been sent.')

/** Undoes what packing did, unless the stream has gone: then the function isn't held only because it was let go. */
function lend<S extends ReadableStream | WritableStream>(
  stream: S,
  lock: { releaseLock(): void },
  fn: Function,
  body: object,
  drop: () => void,
): void {
  sent.set(fn, { stream, lock })
  let mine = false
  undo.set(body, () => {
    mine = true
    lock.releaseLock()
  })
  // Taking back what wasn't sent lets go of the function first, and of the stream in the same turn.
  whenUnheld(fn, () => queueMicrotask(() => !mine && drop()))
}

/** What came home is the original, free again. */
function original(fn: unknown): ReadableStream | WritableStream | undefined {
  const found = typeof fn === 'function' ? sent.get(fn) : undefined
  if (!found) return undefined
  sent.delete(fn as object)
  whenUnheld(fn as Function, () => {})
  found.lock.releaseLock()
  return found.stream
}

// ── readable ────────────────────────────────────────────────────────────────────────────────

interface ReadableBody {
  readonly step: unknown
  readonly bytes: boolean
}

function isByteStream(stream: ReadableStream): boolean {
  try {
    stream.getReader({ mode: 'byob' }).releaseLock()
    return true
  } catch {
    return false
  }
}

/** A reader as an iterator: a stream, unlike a generator, can be cancelled while it is read. */
function readerIterator(reader: ReadableStreamDefaultReader<unknown>): AnyIterator {
  return {
    next: () => reader.read() as Promise<IteratorResult<unknown>>,
    return: (reason) => reader.cancel(reason).then(() => ({ done: true, value: undefined })),
  }
}

const readableMarshaler: Marshaler<ReadableStream, ReadableBody> = {
  kind: 'readable-stream',
  apart: 'same',
  model: undefined,
  claimClass: (x) => x instanceof ReadableStream,
  marshal(stream, context) {
    requireFree(stream, context, 'read')
    const bytes = isByteStream(stream)
    const reader = stream.getReader()
    const from = arrivedReadable.get(stream)
    if (from && !from.iteration.begun) {
      const body: ReadableBody = { step: packUnder(reader, from.step, context), bytes }
      undo.set(body, () => reader.releaseLock())
      return body
    }
    const { step } = new SourceIteration(readerIterator(reader), 'ReadableStream.read', true)
    const body: ReadableBody = { step: packUnder(reader, step, context), bytes }
    lend(stream, reader, step, body, () => void reader.cancel(dropped()).catch(() => {}))
    return body
  },
  unmarshal({ step, bytes }) {
    const own = original(step)
    if (own) return own as ReadableStream
    if (typeof step !== 'function') throw new NotMarshalableError('A ReadableStream arrived without a way to its home.')
    return readableFrom(step as Step, bytes)
  },
  release: (body) => undo.get(body)?.(),
}

function readableFrom(step: Step, bytes: boolean): ReadableStream {
  const iteration = new RemoteIteration(step)
  let cancelled = false
  const source = {
    async pull(controller: ReadableStreamDefaultController | ReadableByteStreamController): Promise<void> {
      for (;;) {
        const { done, value } = await iteration.next()
        if (cancelled) return
        if (done) {
          controller.close()
          if ('byobRequest' in controller) controller.byobRequest?.respond(0)
          return
        }
        // A byte stream takes no empty chunk, and would ask no further.
        if (bytes && (value as ArrayBufferView).byteLength === 0) continue
        controller.enqueue(value as never)
        return
      }
    },
    async cancel(reason: unknown): Promise<void> {
      cancelled = true
      await iteration.return(reason)
    },
  }
  // Nothing is read at home before somebody reads here.
  const strategy = { highWaterMark: 0 }
  const stream = bytes
    ? new ReadableStream({ type: 'bytes', ...source } as UnderlyingByteSource, strategy)
    : new ReadableStream(source, strategy)
  arrivedReadable.set(stream, { step, iteration })
  return stream
}

// ── writable ────────────────────────────────────────────────────────────────────────────────

interface WritableBody {
  readonly sink: unknown
}

const writableMarshaler: Marshaler<WritableStream, WritableBody> = {
  kind: 'writable-stream',
  apart: 'same',
  model: undefined,
  claimClass: (x) => x instanceof WritableStream,
  marshal(stream, context) {
    requireFree(stream, context, 'write to')
    const writer = stream.getWriter()
    const sink = sinkOf(writer)
    const body: WritableBody = { sink: packUnder(writer, sink, context) }
    lend(stream, writer, sink, body, () => void writer.abort(dropped()).catch(() => {}))
    return body
  },
  unmarshal({ sink }) {
    const own = original(sink)
    if (own) return own as WritableStream
    if (typeof sink !== 'function') throw new NotMarshalableError('A WritableStream arrived without a way to its home.')
    return writableFrom(sink as Sink)
  },
  release: (body) => undo.get(body)?.(),
}

function sinkOf(writer: WritableStreamDefaultWriter): Sink {
  writer.closed.catch(() => {})
  writer.ready.catch(() => {})
  const sink: Sink = (what, x) => {
    if (what === WRITE) return writeAll(writer, x as unknown[])
    if (what === CLOSE) return close(writer)
    if (what === ABORT) return writer.abort(x)
    const tell = x as (reason: unknown) => Promise<unknown>
    const forget = () => isProxy(tell) && release(tell)
    writer.closed.then(forget, (reason: unknown) =>
      tell(reason)
        .catch(() => {})
        .then(forget),
    )
    return Promise.resolve()
  }
  return Object.defineProperty(sink, 'name', { value: 'WritableStream.write' })
}

/** One that has failed before refuses to close without saying why: its failure is told. */
function close(writer: WritableStreamDefaultWriter): Promise<void> {
  return writer.close().catch((error: unknown) =>
    writer.closed.then(() => {
      throw error
    }),
  )
}

async function writeAll(writer: WritableStreamDefaultWriter, chunks: readonly unknown[]): Promise<void> {
  await Promise.all(chunks.map((chunk) => writer.write(chunk)))
}

// ── pairs ───────────────────────────────────────────────────────────────────────────────────

interface Pair {
  readonly readable: ReadableStream
  readonly writable: WritableStream
}

/** Looked up when they are needed: Node loads all of its streams with the first. */
let pairs: (abstract new () => object)[] | undefined

const pairClasses = () =>
  (pairs ??= ['TransformStream', 'CompressionStream', 'DecompressionStream', 'TextEncoderStream', 'TextDecoderStream']
    .map((name) => (globalThis as unknown as Record<string, (abstract new () => object) | undefined>)[name])
    .filter((Class) => Class !== undefined))

/** A transform stream arrives as its two ends, which is what `pipeThrough` takes. */
const pairMarshaler: Marshaler<Pair> = {
  kind: 'stream-pair',
  apart: 'same',
  model: undefined,
  claimClass: (x) => pairClasses().some((Class) => x instanceof Class),
  marshal: ({ readable, writable }, context) => ({
    readable: context.pack(readable),
    writable: context.pack(writable),
  }),
  unmarshal: ({ readable, writable }: Pair) => ({ readable, writable }),
}

registerMarshaler(readableMarshaler)
registerMarshaler(writableMarshaler)
registerMarshaler(pairMarshaler)
