import type { CellType } from '../dist/cells/cell-type.js'
import { cellTypeNamed } from '../dist/cells/types.js'

/** Thrown where a thread would have died. */
export const DEATH = new Error('the thread dies here')

/** Strings, in cells that let the thread die in one of the steps that allocate or let go of something. */
export function dyingText(): { readonly type: CellType; dieIn(steps: number): void; live(): void } {
  const text = cellTypeNamed('string')
  const { prepare, make, drop } = text.owning!
  let left = Infinity
  const step = <R>(fn: () => R): R => {
    if (left-- <= 0) throw DEATH
    const result = fn()
    if (left-- <= 0) throw DEATH
    return result
  }
  return {
    type: {
      ...text,
      owning: { prepare, make: (text) => step(() => make(text)), drop: (content) => step(() => drop(content)) },
      clear: (cell) => step(() => text.clear(cell)),
    },
    dieIn(steps) {
      left = steps
    },
    live() {
      left = Infinity
    },
  }
}
