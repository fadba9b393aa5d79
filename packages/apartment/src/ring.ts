/**
 * A ring of bytes in shared memory: one thread writes records into it, one other reads them.
 *
 *   control block, the ring's as long as the process lives
 *     +0    ends     generation << 2 | READER 2 | WRITER 1: who hasn't left
 *     +4    next     address of the next control block, 0 for none
 *     +8    data     address of the bytes, while anybody is there
 *     +12   writer   id of its thread      +16  reader   the same
 *     +128  tail     where the next record will begin: stored by the writer
 *     +132  pace     how soon the writer sends something after something came to it, in microseconds: stored by it, a hint
 *     +256  head     where the oldest record begins that is still read: stored by the reader
 *     +260  wanted   0, or 1 + the head that the writer sleeps for: set by the writer, wiped by the reader
 *   data              CAPACITY bytes: records, each a multiple of 8
 *     +0 bytes  +4 kind  +8 the contents, in one piece; a SKIP record fills what is left before the end
 *
 * Tail and head count bytes, and wrap around after 2³²; they are places in the data modulo CAPACITY. What lies from head
 * to tail is the reader's, the rest the writer's.
 *
 *   writer                                     reader
 *   write records │ tail := behind them        tail ≠ head: read │ head := behind what was read
 *   full:  wanted := half a ring behind tail   head := … │ wanted ≠ 0, and head has come so far:
 *          │ head is there? go on: else sleep      wanted := 0, and announce
 *
 * Each side stores its own word and then loads the other's, so one of them sees the other (Dekker's way): the writer
 * never sleeps for ever where there is room. It sleeps until half of the ring is free: to wake a thread takes a hundred
 * times as long as to read a record.
 *
 * The ring of Lamport ("Proving the correctness of multiprocess programs", 1977), with counters that each side remembers
 * of the other (as in FastFlow and folly): it loads the other's word, whose cache line then has to come over, only
 * where what it remembers doesn't do. One store of tail publishes a whole batch of records.
 *
 * The life of a ring. Each end leaves once. Who leaves last, as the word `ends` tells, frees the data. Of a thread that
 * has died somebody else clears the end: the partner (`inheritRing`), or who makes a ring next and finds it. The control
 * block is used for the next ring, with a generation more; a ring's name holds both, so that who comes late with an old
 * name clears nothing.
 *
 * Invariants
 * - Only the writer stores tail, only the reader head; tail − head is at most CAPACITY.
 * - Who clears the last end of a generation is one thread, and it read `data` before. A thread that dies between the two
 *   loses the bytes of one ring, and nothing else.
 * - A control block never serves anything else, so a late look at it is harmless. It is taken, and filled, under a short
 *   lock, and `ends` is stored last.
 */
import { FlatshareError } from '@flatshare/core'
import {
  allocate,
  free,
  isAlive,
  lockShortly,
  ownThreadId,
  reach,
  sharedBlock,
  type ThreadId,
  unlockShortly,
  views,
} from '@flatshare/core/internal'

const CAPACITY = 1 << 16
const MASK = CAPACITY - 1
const HEADER = 8

/** The most bytes of contents that a record may have: they fit as soon as the ring is empty, wherever that begins. */
export const MAX_RECORD = CAPACITY / 4 - HEADER

/** How many bytes a ring holds, the records' headers included. */
export const RING_BYTES = CAPACITY

export const WRITER = 1
export const READER = 2
/** An end of a ring. */
export type RingEnd = typeof WRITER | typeof READER

// Engines compile in what a module's constants hold.
const memory = views

const ENDS = 0
const NEXT = 1
const DATA = 2
const WRITER_ID = 3
const READER_ID = 4
const TAIL = 32
const PACE = 33
const HEAD = 64
const WANTED = 65
const CONTROL_BYTES = 384

const SKIP = -1

/** The writer looks at the reader's head only when it knows of less room than this. */
const ENOUGH = CAPACITY / 4

/**
 * Writes records. They are seen when they are published, all at once.
 *
 * @example
 * const start = writer.reserve(8)
 * if (start !== 0) {
 *   views.f64[start >> 3] = 1.5
 *   writer.commit(KIND, 8)
 *   if (writer.publish()) announce(reader)
 * }
 */
export class RingWriter {
  readonly #control: number
  readonly #data: number
  /** Behind the last record that was committed, and the last that was published. */
  #tail: number
  #published: number
  /** Where the next record begins: at the tail, or, where it wouldn't fit before the end, at the beginning. */
  #next: number
  /** The reader's, as it was when this thread last looked. */
  #head: number
  /** How many bytes of contents the reserved record may have. */
  room = 0

  constructor(ring: number) {
    this.#control = addressOf(ring) >> 2
    this.#data = memory.i32[this.#control + DATA]
    reach(this.#data + CAPACITY)
    this.#tail = this.#published = this.#next = Atomics.load(memory.i32, this.#control + TAIL)
    this.#head = Atomics.load(memory.i32, this.#control + HEAD)
  }

  /**
   * Finds room for one more record, and says in `room` how many bytes of contents there may be: `atLeast` as asked, at
   * most `MAX_RECORD`. Gives the address where they are to begin, a multiple of 8, or 0 where there isn't the room now.
   * What isn't committed is as if it never was.
   */
  reserve(atLeast = 0): number {
    const vacant = CAPACITY - ((this.#tail - this.#head) | 0)
    const place = this.#tail & MASK
    const room = Math.min(vacant, CAPACITY - place) - HEADER
    if (vacant < ENOUGH || room < atLeast) return this.#reserveOtherwise(atLeast)
    this.#next = this.#tail
    this.room = room
    return this.#data + place + HEADER
  }

  #reserveOtherwise(atLeast: number): number {
    this.#head = Atomics.load(memory.i32, this.#control + HEAD)
    const vacant = CAPACITY - ((this.#tail - this.#head) | 0)
    const place = this.#tail & MASK
    const left = CAPACITY - place
    const skipped = left - HEADER < atLeast ? left : 0
    this.#next = (this.#tail + skipped) | 0
    this.room = Math.min(vacant - skipped, CAPACITY - (this.#next & MASK)) - HEADER
    if (this.room >= atLeast) return this.#data + (this.#next & MASK) + HEADER
    this.#next = this.#tail
    this.room = 0
    return 0
  }

  /** The reserved record has this kind, which is not negative, and so many bytes of contents. */
  commit(kind: number, bytes: number): void {
    const { i32 } = memory
    if (this.#next !== this.#tail) this.#skip()
    const index = (this.#data + (this.#next & MASK)) >> 2
    i32[index] = bytes
    i32[index + 1] = kind
    this.#next = this.#tail = (this.#next + HEADER + ((bytes + 7) & -8)) | 0
  }

  #skip(): void {
    const { i32 } = memory
    const place = this.#tail & MASK
    i32[(this.#data + place) >> 2] = CAPACITY - place - HEADER
    i32[((this.#data + place) >> 2) + 1] = SKIP
  }

  /** Shows the reader all that was committed; false where there was nothing new. The reader is to be announced to. */
  publish(): boolean {
    if (this.#tail === this.#published) return false
    Atomics.store(memory.i32, this.#control + TAIL, (this.#published = this.#tail))
    return true
  }

  /** Tells the reader how soon this thread sends something after something came to it. */
  tellPace(milliseconds: number): void {
    memory.i32[this.#control + PACE] = milliseconds * 1000
  }

  /**
   * After `reserve` found no room: has the reader announce it when half of the ring is free, which is room for any
   * record. All that was committed must have been published and announced before.
   *
   * @returns false where so much is free already.
   */
  wantRoom(): boolean {
    const { i32 } = memory
    const wanted = (this.#tail - CAPACITY / 2) | 0
    Atomics.store(i32, this.#control + WANTED, wanted | 1)
    this.#head = Atomics.load(i32, this.#control + HEAD)
    if (((this.#head - wanted) | 0) < 0) return true
    Atomics.store(i32, this.#control + WANTED, 0)
    return false
  }
}

/**
 * Reads records.
 *
 * @example
 * while (reader.next()) take(reader.kind, reader.start, reader.bytes)
 * if (reader.release()) announce(writer)
 */
export class RingReader {
  readonly #control: number
  readonly #data: number
  /** Behind the record last given, and what of that the writer knows. */
  #head: number
  #released: number
  /** The writer's, as it was when this thread last looked. */
  #tail: number
  /** Of the record last given. */
  kind = 0
  /** Where its contents begin: an address, a multiple of 8. */
  start = 0
  /** How many bytes of contents it has. */
  bytes = 0

  /** @throws FlatshareError where this thread is to read no such ring. */
  constructor(ring: number) {
    this.#control = controlToRead(ring)
    this.#data = memory.i32[this.#control + DATA]
    reach(this.#data + CAPACITY)
    this.#head = this.#released = Atomics.load(memory.i32, this.#control + HEAD)
    this.#tail = this.#head
  }

  /** The index of the word that changes when there is another record … */
  get tailWord(): number {
    return this.#control + TAIL
  }

  /** … and what it was when this thread last looked. */
  get tailSeen(): number {
    return this.#tail
  }

  /** How soon the writer says that it sends something after something came to it, in milliseconds. */
  get pace(): number {
    return memory.i32[this.#control + PACE]! / 1000
  }

  /** Whether the next record is there, is of that kind, and begins with that number. */
  isNext(kind: number, first: number): boolean {
    const { i32, f64 } = memory
    const head = this.#head
    if (head === Atomics.load(i32, this.#control + TAIL)) return false
    const start = this.#data + (head & MASK) + HEADER
    return i32[(start >> 2) - 1] === kind && f64[start >> 3] === first
  }

  /** Gives the next record; false where there is none. The record is there until it is released. */
  next(): boolean {
    const { i32 } = memory
    do {
      if (this.#head === this.#tail) {
        this.#tail = Atomics.load(i32, this.#control + TAIL)
        if (this.#head === this.#tail) return false
      }
      this.start = this.#data + (this.#head & MASK) + HEADER
      this.bytes = i32[(this.start >> 2) - 2]
      this.kind = i32[(this.start >> 2) - 1]
      this.#head = (this.#head + HEADER + ((this.bytes + 7) & -8)) | 0
    } while (this.kind === SKIP)
    return true
  }

  /**
   * Gives back the room of all records up to the one last given.
   *
   * @returns whether the writer waits for that, and is to be announced to.
   */
  release(): boolean {
    if (this.#head === this.#released) return false
    const { i32 } = memory
    Atomics.store(i32, this.#control + HEAD, (this.#released = this.#head))
    return Atomics.load(i32, this.#control + WANTED) !== 0 && this.#isWanted()
  }

  #isWanted(): boolean {
    const { i32 } = memory
    const wanted = Atomics.load(i32, this.#control + WANTED)
    if (wanted === 0 || ((this.#head - (wanted & -8)) | 0) < 0) return false
    Atomics.store(i32, this.#control + WANTED, 0)
    return true
  }
}

/** A ring's name is its control block's address, and its generation above that. */
const ADDRESSES = 2 ** 30
const GENERATIONS = 2 ** 22 - 1

const addressOf = (ring: number): number => ring % ADDRESSES
const generationOf = (ring: number): number => Math.floor(ring / ADDRESSES)

/**
 * Makes a ring that this thread writes to. Gives its name, which the reader needs.
 *
 * @param reader who is to read it. When it dies its end counts as left, even if it never came to read.
 * @throws FlatshareError when shared memory is full.
 */
export function createRing(reader: ThreadId): number {
  const list = sharedBlock('rings', 8)
  lockShortly(list >> 2)
  try {
    const control = idleControl(list)
    const { i32 } = memory
    i32[control + DATA] = allocate(CAPACITY)
    i32[control + WRITER_ID] = ownThreadId()
    i32[control + READER_ID] = reader
    i32[control + TAIL] = 0
    i32[control + PACE] = 0
    i32[control + HEAD] = 0
    i32[control + WANTED] = 0
    const generation = ((Atomics.load(i32, control + ENDS) >>> 2) + 1) & GENERATIONS
    Atomics.store(memory.i32, control + ENDS, (generation << 2) | READER | WRITER)
    return generation * ADDRESSES + control * 4
  } finally {
    unlockShortly(list >> 2)
  }
}

/** The index of a control block of no ring: the dead leave theirs now. */
function idleControl(list: number): number {
  let link = (list >> 2) + 1
  for (let control = follow(link); control !== 0; control = follow(link)) {
    buryEnds(control)
    if ((Atomics.load(memory.i32, control + ENDS) & (READER | WRITER)) === 0) return control
    link = control + NEXT
  }
  const control = allocate(CONTROL_BYTES)
  Atomics.store(memory.i32, link, control)
  return control >> 2
}

function follow(link: number): number {
  const address = Atomics.load(memory.i32, link)
  if (address !== 0) reach(address + CONTROL_BYTES)
  return address >> 2
}

function buryEnds(control: number): void {
  const { i32 } = memory
  const generation = Atomics.load(i32, control + ENDS) >>> 2
  if (!isAlive(i32[control + WRITER_ID])) clearEnds(control, generation, WRITER)
  if (!isAlive(i32[control + READER_ID])) clearEnds(control, generation, READER)
}

/** Clears ends of a generation; who clears the last one frees the data. */
function clearEnds(control: number, generation: number, cleared: number): void {
  const { i32 } = memory
  for (;;) {
    const ends = Atomics.load(i32, control + ENDS)
    if (ends >>> 2 !== generation || (ends & cleared) === 0) return
    const data = i32[control + DATA]
    const left = ends & ~cleared
    if (Atomics.compareExchange(i32, control + ENDS, ends, left) !== ends) continue
    if ((left & (READER | WRITER)) === 0) free(data, CAPACITY)
    return
  }
}

/** One end uses the ring no more: nothing of it may be touched by that thread from now on. Once is enough. */
export function leaveRing(ring: number, end: RingEnd): void {
  clearEnds(addressOf(ring) >> 2, generationOf(ring), end)
}

/** Leaves for both ends, by the one whose partner's thread has died, at any time, also after it has left itself. */
export function inheritRing(ring: number): void {
  clearEnds(addressOf(ring) >> 2, generationOf(ring), READER | WRITER)
}

/** The index of a ring's control block, found in the list of all: a wrong name leads to no other memory. */
function controlToRead(ring: number): number {
  let control = follow((sharedBlock('rings', 8) >> 2) + 1)
  while (control !== 0 && control * 4 !== addressOf(ring)) control = follow(control + NEXT)
  if (control !== 0) {
    const ends = Atomics.load(memory.i32, control + ENDS)
    const isThis = ends >>> 2 === generationOf(ring) && (ends & READER) !== 0
    if (isThis && memory.i32[control + READER_ID] === ownThreadId()) return control
  }
  throw new FlatshareError(`There is no ring ${ring} that this thread might read.`)
}
