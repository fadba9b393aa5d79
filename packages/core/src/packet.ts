/**
 * Packets: references and values on their way by hand, through a `postMessage`, a `workerData` or
 * anything else that clones.
 *
 * Each packet has a *ticket*, a cell of shared memory that holds the packet's serial number:
 *
 *   made:         cell = serial
 *   unmarshaled:  compare-exchange serial → 0; who wins unpacks, and frees the cell
 *   disposed:     the same, and what the packet held is let go
 *
 * Serials are never repeated, so a copy of a spent packet finds another value in the cell, whatever the
 * cell is used for by then. A table packet has no ticket and unmarshals any number of times.
 *
 * A packet carries the arena, which a thread that has none adopts, and a line to the supervisor, by
 * which a thread that has none joins.
 */

import type { Port } from '#platform'
import { isPort } from '#platform'
import { allocate, free } from './allocator.js'
import { FlatshareError, WrongThreadError } from './errors.js'
import { type PackedGraph, type PackedReference, packGraph, releaseReferences, unpackGraph } from './graph.js'
import { joinBy, newLine } from './lifecycle.js'
import { adoptArena, arena, Header, i32, isArena, reach } from './memory.js'
import { ownThreadId, type ThreadId, threadName } from './threads.js'

const FORMAT = 1
const TICKET_BYTES = 16
/** The cell's first word is the allocator's while it is free. */
const SERIAL_WORD = 1

declare const carried: unique symbol

/** Something on its way to another thread. It unmarshals once, unless it is a table packet. */
export interface Packet<T = unknown> extends Disposable {
  /** Type only: what `unmarshal` gives. */
  readonly [carried]?: T
}

/** How to pack. */
export interface MarshalOptions {
  /** The only thread that may unmarshal it. */
  to?: ThreadId
  /** The packet may be unmarshaled many times, on any thread. */
  table?: boolean
}

class PacketBody implements Packet, PackedGraph {
  readonly flatshare = FORMAT
  readonly arena = arena()
  readonly from = ownThreadId()
  line?: Port
  ticket = 0
  serial = 0
  disposed = false
  declare refs?: PackedReference[]

  constructor(
    public value: unknown,
    readonly to: ThreadId | undefined,
    readonly place: string,
  ) {}

  /** Gives the packet up: what it held is let go, and unless all of that was copied it can't be unmarshaled any more. */
  [Symbol.dispose](): void {
    if (this.disposed || (this.serial !== 0 && !spend(this))) return
    this.disposed = true
    if (this.refs) releaseReferences(this.refs)
    this.line?.close()
  }
}

/** The place in the code that called `above`, for errors; '' where the runtime doesn't say. */
function placeAbove(above: Function): string {
  const holder: { stack?: string } = {}
  const traced = Error as { captureStackTrace?: (target: object, above: Function) => void; stackTraceLimit?: number }
  if (!traced.captureStackTrace) return ''
  const limit = traced.stackTraceLimit
  traced.stackTraceLimit = 1
  traced.captureStackTrace(holder, above)
  traced.stackTraceLimit = limit
  return /\(?((?:file|https?|node|\/)[^()]*:\d+:\d+)\)?$/m.exec(holder.stack ?? '')?.[1] ?? ''
}

/**
 * Packs a reference or a value for another thread: what to post, and what to transfer with it.
 *
 * Free-threaded objects and locks arrive as themselves, apartment-threaded objects as proxies, everything
 * else as structured clone copies it; at any depth. A packet is unmarshaled once: make one for each
 * receiver, or a table packet (`{ table: true }`), which can carry no apartment-threaded object.
 *
 * @throws WrongThreadError when it contains a single-threaded object; nothing is half-sent.
 * @throws NotMarshalableError when it contains something that can't cross; the message says where.
 * @example
 * worker.postMessage(...marshal(account))
 * // there: parentPort.on('message', (packet) => unmarshal<Account>(packet).deposit(5))
 */
export function marshal<T>(x: T, options: MarshalOptions = {}): [packet: Packet<T>, transferList: any[]] {
  if (options.to !== undefined && typeof options.to !== 'number') {
    throw new TypeError('marshal addresses a packet by the id of a thread: { to: threadId }.')
  }
  const transferList: any[] = []
  const packet = new PacketBody(undefined, options.to, placeAbove(marshal))
  const graph = packGraph(x, { transferList, to: options.to, table: options.table ?? false })
  packet.value = graph.value
  if (graph.refs) packet.refs = graph.refs
  if (!options.table) {
    packet.ticket = allocate(TICKET_BYTES)
    packet.serial = nextSerial()
    Atomics.store(i32, (packet.ticket >> 2) + SERIAL_WORD, packet.serial)
    packet.line = newLine()
    transferList.push(packet.line)
  }
  return [packet as Packet<T>, transferList]
}

function nextSerial(): number {
  for (;;) {
    const serial = (Atomics.add(i32, Header.packetSerial >> 2, 1) + 1) & 0x7fffffff
    if (serial !== 0) return serial
  }
}

function spend(packet: PacketBody): boolean {
  reach(packet.ticket + TICKET_BYTES)
  const cell = (packet.ticket >> 2) + SERIAL_WORD
  if (Atomics.compareExchange(i32, cell, packet.serial, 0) !== packet.serial) return false
  free(packet.ticket, TICKET_BYTES)
  return true
}

/** Whether a value is a packet that `unmarshal` takes. */
export function isPacket(value: unknown): value is Packet {
  if (typeof value !== 'object' || value === null) return false
  const { flatshare, arena } = value as PacketBody
  return flatshare === FORMAT && isArena(arena)
}

/**
 * Unpacks what another thread's `marshal` packed: the object itself where it is free-threaded or was
 * made here, a proxy where it lives elsewhere, a copy of anything else.
 *
 * Importing this package and the classes that arrive is enough: a thread joins by its first packet.
 * Failing to unmarshal uses the packet up.
 *
 * @throws WrongThreadError for a packet that was unmarshaled before, here or elsewhere, that was
 * addressed to another thread, or that was copied without its transfer list.
 * @throws FlatshareError for anything that is no packet.
 */
export function unmarshal<T>(packet: Packet<T>): T
export function unmarshal<T = unknown>(packet: unknown): T
export function unmarshal(packet: unknown): unknown {
  if (!isPacket(packet)) {
    throw new FlatshareError('unmarshal takes a packet, the first element of what marshal gives; this is none.')
  }
  const body = packet as PacketBody
  adoptArena(body.arena)
  if (body.line && isPort(body.line)) {
    // A packet unmarshaled by its own maker leaves its line unused.
    if (packet instanceof PacketBody) body.line.close()
    else joinBy(body.line)
  }
  const me = ownThreadId()
  const route = () =>
    `from the thread "${threadName(body.from)}", marshaled at ${body.place || 'an unknown place'}, on the thread "${threadName(me)}"`
  if (body.to !== undefined && body.to !== me) {
    throw new WrongThreadError(`This packet ${route()}, is addressed to the thread "${threadName(body.to)}".`)
  }
  if (body.serial !== 0 && !spend(body)) {
    throw new WrongThreadError(
      `This packet ${route()}, is spent: it was unmarshaled before, here or elsewhere, or given up. Marshal once for each receiver.`,
    )
  }
  return unpackGraph(body, { from: body.from })
}
