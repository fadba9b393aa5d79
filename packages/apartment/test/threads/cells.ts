/**
 * Numbers that several threads see at once, also while they compute or block: in shared memory, or, for threads that share
 * none, in a file. They cross in calls.
 */
import { mkdtempSync, openSync, readSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { registerCodec } from '@flatshare/apartment'

/** Milliseconds between two looks into a file. */
const PAUSE = 1
const never = new Int32Array(new SharedArrayBuffer(4))

let folder: string | undefined
let files = 0

export class Cells {
  readonly place: Int32Array | string
  readonly #file: number | undefined

  /** Those that are there already. */
  constructor(place: Int32Array | string) {
    this.place = place
    if (typeof place === 'string') this.#file = openSync(place, 'r+')
  }

  static of(count: number, inMemory: boolean): Cells {
    if (inMemory) return new Cells(new Int32Array(new SharedArrayBuffer(4 * count)))
    folder ??= mkdtempSync(join(tmpdir(), 'flatshare-cells-'))
    const file = join(folder, String(files++))
    writeFileSync(file, new Uint8Array(4 * count))
    return new Cells(file)
  }

  load(cell: number): number {
    if (typeof this.place !== 'string') return Atomics.load(this.place, cell)
    const value = new Int32Array(1)
    readSync(this.#file!, value, 0, 4, 4 * cell)
    return value[0]!
  }

  store(cell: number, value: number): void {
    if (typeof this.place === 'string') writeSync(this.#file!, Int32Array.of(value), 0, 4, 4 * cell)
    else {
      Atomics.store(this.place, cell, value)
      Atomics.notify(this.place, cell)
    }
  }

  /** Blocks this thread until the cell is set. */
  wait(cell: number): void {
    while (this.load(cell) === 0) {
      if (typeof this.place === 'string') Atomics.wait(never, 0, 0, PAUSE)
      else Atomics.wait(this.place, cell, 0)
    }
  }

  /** Resolves when the cell is set. */
  async untilSet(cell: number): Promise<void> {
    while (this.load(cell) === 0) await new Promise((resolve) => setImmediate(resolve))
  }
}
registerCodec(Cells, {
  name: 'Cells',
  encode: ({ place }) => place,
  decode: (place: Int32Array | string) => new Cells(place),
})

/** Removes the files that this thread has made. */
export function removeCells(): void {
  if (folder) rmSync(folder, { recursive: true })
  folder = undefined
}
