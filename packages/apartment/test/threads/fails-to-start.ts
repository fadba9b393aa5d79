/** Counts its starts, and fails from the second on, or always. */
import { workerData } from 'node:worker_threads'

const { cell, from } = workerData as { cell: SharedArrayBuffer; from: number }
if (Atomics.add(new Int32Array(cell), 0, 1) + 1 >= from) throw new Error('it fails on purpose')

export const end = (): never => process.exit(0)
export const hold = async (entered: () => Promise<unknown>): Promise<unknown> => entered()
