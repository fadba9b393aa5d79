/** How elements get into a queue's ring and out of it: see `queue-core.ts` for when. */
import { reach, u8, u32 } from '@flatshare/core/internal'
import { type CellType, misfit } from '../cells/cell-type.js'
import {
  allocateValue,
  collectGarbage,
  enterHeap,
  HEADER_BYTES,
  HeapFullError,
  leaveHeap,
  retain,
  valueBytes,
} from '../heap/index.js'
import { withoutGetters } from './container.js'
import { giveCell, type OwnCell, type Owned, takeCell } from './own-cells.js'
import { type Outcome, PUT, type Request, type Side, TAKE } from './queue-core.js'

/** An element on its way into a queue. It may fit, or not; `end` is to be called in any case. */
export interface Offer extends Request {
  end(): void
}

/** An element on its way out. */
export interface Wish extends Request {
  /** The element, once it was moved; called once. */
  value(): unknown
  /** Nothing was moved. */
  end(): void
}

/**
 * An element that is to be put in. What it owns is made now, so nothing can fail later.
 *
 * @throws TypeError, RangeError, FlatshareError for a value that the type doesn't take.
 * @throws HeapFullError
 */
export function offer(type: CellType, value: unknown, where: string): Offer {
  const plain = withoutGetters(type, value)
  if (!type.takes(plain)) throw misfit(where, type, value)
  return type.owns === 'nothing' ? new PlainOffer(type, plain) : new OwnedOffer(type, type.owns, plain)
}

/** An element that is to be taken out. */
export function wish(type: CellType): Wish {
  return type.owns === 'nothing' ? new PlainWish(type) : new OwnedWish(type, type.owns)
}

class PlainOffer implements Offer {
  readonly side: Side = PUT
  readonly owns = false
  outcome: Outcome | undefined

  constructor(
    readonly type: CellType,
    readonly value: unknown,
  ) {}

  move(cell: number): void {
    this.type.write(cell, this.value)
  }

  end(): void {}
}

class PlainWish implements Wish {
  readonly side: Side = TAKE
  readonly owns = false
  outcome: Outcome | undefined
  #value: unknown

  constructor(readonly type: CellType) {}

  move(cell: number): void {
    this.#value = this.type.read(cell)
  }

  value(): unknown {
    return this.#value
  }

  end(): void {}
}

class OwnedOffer implements Offer {
  readonly side: Side = PUT
  readonly owns = true
  outcome: Outcome | undefined
  readonly #cell: OwnCell

  constructor(
    readonly type: CellType,
    owned: Owned,
    value: unknown,
  ) {
    this.#cell = takeCell(owned)
    try {
      type.write(this.#cell.address, value)
    } catch (error) {
      giveCell(this.#cell)
      throw error
    }
  }

  move(cell: number): void {
    u32[cell >> 2] = u32[this.#cell.address >> 2]!
    u32[this.#cell.address >> 2] = 0
  }

  end(): void {
    letGo(this.type, this.#cell)
  }
}

class OwnedWish implements Wish {
  readonly side: Side = TAKE
  readonly owns = true
  outcome: Outcome | undefined
  readonly #cell: OwnCell

  constructor(
    readonly type: CellType,
    owned: Owned,
  ) {
    this.#cell = takeCell(owned)
  }

  move(cell: number): void {
    u32[this.#cell.address >> 2] = u32[cell >> 2]!
    u32[cell >> 2] = 0
  }

  value(): unknown {
    try {
      return this.type.read(this.#cell.address)
    } finally {
      this.end()
    }
  }

  end(): void {
    letGo(this.type, this.#cell)
  }
}

function letGo(type: CellType, cell: OwnCell): void {
  if (u32[cell.address >> 2] !== 0) {
    enterHeap()
    try {
      type.clear(cell.address)
    } finally {
      leaveHeap()
    }
  }
  giveCell(cell)
}

/**
 * The values of cells that stay as they are. `each` calls back with them while nobody moves any; it may be
 * called twice.
 *
 * @throws HeapFullError
 */
export function snapshot(type: CellType, each: (visit: (cell: number) => void) => void): unknown[] {
  const { owns } = type
  if (owns === 'nothing') {
    const values: unknown[] = []
    each((cell) => values.push(type.read(cell)))
    return values
  }
  try {
    return snapshotOwned(type, owns, each)
  } catch (error) {
    if (!(error instanceof HeapFullError)) throw error
    collectGarbage()
    return snapshotOwned(type, owns, each)
  }
}

/** Copies first, and decodes afterwards: while the cells are visited, others wait. */
function snapshotOwned(type: CellType, owned: Owned, each: (visit: (cell: number) => void) => void): unknown[] {
  const copies: OwnCell[] = []
  let failure: Error | undefined
  try {
    each((cell) => {
      if (failure !== undefined) return
      try {
        copies.push(takeCell(owned))
        copy(owned, u32[cell >> 2]!, copies.at(-1)!.address)
      } catch (error) {
        failure = error as Error
      }
    })
    if (failure !== undefined) throw failure
    return copies.map(({ address }) => type.read(address))
  } finally {
    for (const cell of copies) letGo(type, cell)
  }
}

function copy(owned: Owned, content: number, to: number): void {
  if (content === 0) return
  enterHeap()
  try {
    if (owned === 'ref') {
      reach(content + HEADER_BYTES)
      retain(content)
      u32[to >> 2] = content
    } else {
      const bytes = valueBytes(content)
      const block = allocateValue(bytes)
      reach(Math.max(content, block) + bytes)
      u8.copyWithin(block, content, content + bytes)
      u32[to >> 2] = block
    }
  } finally {
    leaveHeap()
  }
}
