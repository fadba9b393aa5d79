/** The memory that a test shares with its threads (`sharer.ts`), besides what it tests. */

/** What each cell is for; from `ring` on there is a queue of `RING` items. */
export const Cell = {
  arrived: 0,
  gate: 1,
  inside: 2,
  wrong: 3,
  progress: 4,
  stop: 5,
  first: 6,
  count: 7,
  sum: 8,
  ring: 16,
}
export const RING = 32

export function newCells(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(4 * (Cell.ring + RING)))
}

/** Lets those at the gate go on. */
export function openGate(cells: Int32Array): void {
  Atomics.store(cells, Cell.gate, 1)
  Atomics.notify(cells, Cell.gate)
}
