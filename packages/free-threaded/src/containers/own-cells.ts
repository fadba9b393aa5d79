/**
 * Cells that belong to this thread: for values on their way between a program and a container, while they
 * lie in neither.
 *
 * They are the fields of objects of the heap that no other thread knows. So what a cell owns is in use for
 * a collection, and is let go of when the thread ends. One such object is kept, others while they are used.
 */
import { u32 } from '@flatshare/core/internal'
import { dropHandle, HEADER_BYTES, makeBlock, registerType } from '../heap/index.js'

/** What a cell owns. */
export type Owned = 'value' | 'ref'

/** A cell of this thread. */
export interface OwnCell {
  readonly address: number
  readonly owned: Owned
  readonly block: Block
}

/** An object of such cells. */
interface Block {
  /** Cells that are in use. */
  used: number
}

/** Of each sort in one object. */
const CELLS = 24
const REFS = Array.from({ length: CELLS }, (_, i) => HEADER_BYTES + i * 4)
const VALUES = REFS.map((offset) => offset + CELLS * 4)

const empty: Record<Owned, OwnCell[]> = { value: [], ref: [] }
/** The only one of which no cell is in use. */
let spare: Block | undefined

/**
 * A cell that owns nothing, until `giveCell`.
 *
 * @throws HeapFullError
 */
export function takeCell(owned: Owned): OwnCell {
  if (empty[owned].length === 0) addBlock()
  const cell = empty[owned].pop()!
  if (cell.block.used++ === 0) spare = undefined
  return cell
}

/** Gives a cell back, which owns nothing any more. */
export function giveCell(cell: OwnCell): void {
  const { block, owned, address } = cell
  u32[address >> 2] = 0
  empty[owned].push(cell)
  if (--block.used > 0) return
  if (spare === undefined) spare = block
  else {
    for (const sort of ['value', 'ref'] as const) empty[sort] = empty[sort].filter((other) => other.block !== block)
    dropHandle(block)
  }
}

function addBlock(): void {
  const block: Block = { used: 0 }
  const name = 'cells of a thread'
  const bytes = HEADER_BYTES + CELLS * 8
  const shape = { bytes, refs: REFS, values: VALUES, readers: [] }
  const address = makeBlock(block, registerType({ kind: name, name, layout: String(CELLS), module: '', ...shape }))
  for (const offset of REFS) empty.ref.push({ address: address + offset, owned: 'ref', block })
  for (const offset of VALUES) empty.value.push({ address: address + offset, owned: 'value', block })
}
