/** Units of texts to strings. */
import { latin1 } from '#platform'

/** A call can't have any number of arguments. */
const UNITS_AT_ONCE = 4096

const fromUnits = String.fromCharCode as (...units: any) => string
/** For the units of short texts: an array for each length, made when it is needed. */
const unitArrays: number[][] = []

/** The string of the bytes from `start`: short, and ASCII or Latin 1. The runtime doesn't see the bytes themselves. */
export function shortText(bytes: Uint8Array, start: number, length: number): string {
  switch (length) {
    case 0:
      return ''
    case 1:
      return fromUnits(bytes[start])
    case 2:
      return fromUnits(bytes[start], bytes[start + 1])
    case 3:
      return fromUnits(bytes[start], bytes[start + 1], bytes[start + 2])
    case 4:
      return fromUnits(bytes[start], bytes[start + 1], bytes[start + 2], bytes[start + 3])
  }
  const units = (unitArrays[length] ??= new Array<number>(length).fill(0))
  for (let i = 0; i < length; i++) units[i] = bytes[start + i]!
  return fromUnits.apply(null, units as never)
}

/** The string of any number of units. */
export function textOf(units: Uint8Array | Uint16Array): string {
  if (latin1 && units instanceof Uint8Array) return latin1(units, 0, units.length)
  if (units.length <= UNITS_AT_ONCE) return fromUnits.apply(null, units as never)
  const parts: string[] = []
  for (let i = 0; i < units.length; i += UNITS_AT_ONCE) {
    parts.push(fromUnits.apply(null, units.subarray(i, i + UNITS_AT_ONCE) as never))
  }
  return parts.join('')
}
