/** Any number, in two words of shared memory. */
import type { SyncMemory } from '../sync-memory.js'

const double = new Float64Array(1)
const halves = new Int32Array(double.buffer)

/** Inside a guard; see `SyncMemory.get`. */
export function getNumber(memory: SyncMemory, address: number): number {
  halves[0] = memory.get(address)
  halves[1] = memory.get(address + 4)
  return double[0]!
}

/** Inside a guard; see `SyncMemory.set`. Who dies between the two words leaves neither number. */
export function setNumber(memory: SyncMemory, address: number, value: number): void {
  double[0] = value
  const high = halves[1]!
  memory.set(address, halves[0]!)
  memory.set(address + 4, high)
}

/** Of words that no thread writes any more. */
export function loadNumber(memory: SyncMemory, address: number): number {
  halves[0] = memory.load(address)
  halves[1] = memory.load(address + 4)
  return double[0]!
}
