/**
 * Cells of shared memory by which the thread that serves a call sees at once that its caller wants it no more, also
 * where it can't receive messages, in the middle of a loop.
 *
 *   table   a word for each slot of the thread table: address of its first chunk, 0 before that is needed
 *   chunk   word 0  address of the next one, 0 for none; then cells of two words. It is its slot's for ever: a thread
 *           that takes the slot later goes on with it
 *   cell    turn     raised by one when a call begins, and again when that is given up or has settled: odd between
 *           started  the turn of the call that has last begun to run
 *
 *   caller                                   callee, who has cell and turn from the CALL message
 *   begin     turn = t (odd); CALL is sent   start   until turn ≠ t: no, or compare-exchange started s → t;
 *   give up   turn = t + 1                           yes if turn = t still
 *             did it start? started = t      wanted? turn = t
 *
 * Only the caller's thread changes a turn, and never back, so a cell can be used again at once: whoever still serves
 * the call of before finds another turn, and its late start no way past the compare-exchange.
 *
 * Invariant: a call that was given up and hasn't started by then never will. The callee marks the start and then looks
 * whether it is wanted; the caller takes the wish back and then looks whether it was started. One of them sees the other.
 *
 * Messages name a cell by its number within the caller's chunks, so that a forged one leads to no other memory.
 */
import {
  allocate,
  i32,
  keepOne,
  ownThreadId,
  reach,
  sharedBlock,
  THREAD_SLOTS,
  type ThreadId,
} from '@flatshare/core/internal'

/** The operations on shared words. */
export interface Words {
  load(address: number): number
  store(address: number, value: number): void
  compareExchange(address: number, expected: number, value: number): number
}

const CELL_BYTES = 8
const STARTED = 4
const CELLS_A_CHUNK = 63
const CHUNK_BYTES = CELL_BYTES * (CELLS_A_CHUNK + 1)

/** The protocol over some memory. */
export function cellProtocol(words: Words) {
  return {
    /** Gives the turn of the call that begins. */
    begin(cell: number): number {
      const turn = (words.load(cell) + 1) | 0
      words.store(cell, turn)
      return turn
    },
    /** The caller wants the call no more, or it has settled. */
    end(cell: number, turn: number): void {
      words.store(cell, (turn + 1) | 0)
    },
    wanted: (cell: number, turn: number): boolean => words.load(cell) === turn,
    /** Marks that the call runs now; false where it must not. */
    start(cell: number, turn: number): boolean {
      let before: number
      do {
        before = words.load(cell + STARTED)
        if (words.load(cell) !== turn) return false
      } while (words.compareExchange(cell + STARTED, before, turn) !== before)
      return words.load(cell) === turn
    },
    started: (cell: number, turn: number): boolean => words.load(cell + STARTED) === turn,
  }
}

const protocol = cellProtocol({
  load: (address) => Atomics.load(i32, address >> 2),
  store: (address, value) => void Atomics.store(i32, address >> 2, value),
  compareExchange: (address, expected, value) => Atomics.compareExchange(i32, address >> 2, expected, value),
})

/** The word of the table that has a thread's first chunk. */
function tableWord(thread: ThreadId): number {
  return sharedBlock('callCells', THREAD_SLOTS * 4) + (thread & (THREAD_SLOTS - 1)) * 4
}

/** Follows a word that has a chunk's address. */
function chunkBehind(word: number): number {
  const chunk = Atomics.load(i32, word >> 2)
  if (chunk !== 0) reach(chunk + CHUNK_BYTES)
  return chunk
}

/** The address of a cell; 0 for one that the thread doesn't have. */
function addressOf(thread: ThreadId, cell: number): number {
  let chunk = chunkBehind(tableWord(thread))
  for (let skip = Math.floor(cell / CELLS_A_CHUNK); skip > 0 && chunk !== 0; skip--) chunk = chunkBehind(chunk)
  return chunk && chunk + CELL_BYTES * (1 + (cell % CELLS_A_CHUNK))
}

/** Addresses of this thread's cells, by number. */
const own: number[] = []
const idle: number[] = []

/** Takes over the chunks that this thread's slot has, or makes one more. */
function extend(): void {
  let word = own.length === 0 ? tableWord(ownThreadId()) : own[own.length - CELLS_A_CHUNK]! - CELL_BYTES
  let chunk = chunkBehind(word)
  if (chunk === 0) {
    chunk = allocate(CHUNK_BYTES)
    Atomics.store(i32, word >> 2, chunk)
  }
  for (; chunk !== 0; word = chunk, chunk = chunkBehind(word)) {
    for (let i = 1; i <= CELLS_A_CHUNK; i++) {
      const address = chunk + i * CELL_BYTES
      const turn = Atomics.load(i32, address >> 2)
      // A call of the thread before, which has died.
      if (turn & 1) protocol.end(address, turn)
      idle.push(own.push(address) - 1)
    }
  }
}

/** The cell of one call of this thread's. */
export class CallCell {
  readonly number: number
  readonly turn: number
  #wanted = true

  constructor() {
    if (idle.length === 0) {
      if (own.length === 0) keepOne(this)
      extend()
    }
    this.number = idle.pop()!
    this.turn = protocol.begin(own[this.number]!)
  }

  /** Tells whoever serves the call that it is wanted no more. */
  giveUp(): void {
    if (!this.#wanted) return
    this.#wanted = false
    protocol.end(own[this.number]!, this.turn)
  }

  /** Whether the call has begun to run. After `giveUp`, false means that it never will. */
  get started(): boolean {
    return protocol.started(own[this.number]!, this.turn)
  }

  /** Lets another call use the cell. */
  free(): void {
    this.giveUp()
    idle.push(this.number)
  }
}

/** The cell of a call of another thread's, as the thread that serves it sees it. */
export class CallerCell {
  readonly #address: number

  private constructor(
    address: number,
    readonly turn: number,
  ) {
    this.#address = address
  }

  /** The cell that a message names; undefined where it names none. */
  static of(caller: ThreadId, cell: number | undefined, turn: number | undefined): CallerCell | undefined {
    if (!Number.isSafeInteger(cell) || cell! < 0 || typeof turn !== 'number') return undefined
    const address = addressOf(caller, cell!)
    return address === 0 ? undefined : new CallerCell(address, turn)
  }

  get wanted(): boolean {
    return protocol.wanted(this.#address, this.turn)
  }

  /** Marks that the call runs now; false where its caller has given it up. */
  start(): boolean {
    return protocol.start(this.#address, this.turn)
  }
}
