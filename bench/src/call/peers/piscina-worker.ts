import { move } from 'piscina'
import { add } from '../work.js'

export { echo } from '../work.js'

/** A task has one argument. */
export const addBoth = ([a, b]: [number, number]): number => add(a, b)

export const moveBack = (bytes: Uint8Array<ArrayBuffer>): unknown => move(bytes)
