import { ApartmentThreaded, transfer } from '@flatshare/apartment'
import { Counter } from '../work.js'

export { add, echo } from '../work.js'

@ApartmentThreaded()
export class RemoteCounter extends Counter {}

export const move = (bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> => transfer(bytes, [bytes.buffer])

let heard: (x: number) => number | Promise<number>

export function listen(listener: (x: number) => number): void {
  heard = listener
}

export const callBack = async (x: number): Promise<number> => heard(x)
