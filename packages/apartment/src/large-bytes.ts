/**
 * Large bytes that are copied to another thread by a message port.
 *
 * Structured clone copies them twice, and each copy is new memory, which costs more than the copying itself. So they are
 * copied here, once, and the copy moves: what arrives is the same. That is done where they stand openly, as an argument or
 * as the result.
 */
import { bufferToFill, viewClasses, viewNumber } from '@flatshare/core/internal'

/** Bytes; fewer aren't worth it. */
const LARGE = 1 << 14

/** The list, or the value, with copies in the place of large bytes; they are added to the transfer list. */
export function copyLarge(value: unknown, isList: boolean, transferList: any[]): unknown {
  if (!isList) return isLarge(value) ? copyAll([value], transferList)[0] : value
  const list = value as readonly unknown[]
  return list.some(isLarge) && list.every(standsAlone) ? copyAll(list, transferList) : value
}

/** The buffer of bytes that can be copied so. */
function bufferOf(x: unknown): ArrayBuffer | undefined {
  if (typeof x !== 'object' || x === null) return undefined
  const buffer: unknown = ArrayBuffer.isView(x) ? x.buffer : x
  if (!(buffer instanceof ArrayBuffer) || buffer.resizable) return undefined
  return buffer === x || viewNumber(x as ArrayBufferView) !== undefined ? buffer : undefined
}

function isLarge(x: unknown): boolean {
  const buffer = bufferOf(x)
  return buffer !== undefined && buffer.byteLength >= LARGE
}

/** Whether nothing in it may be, or refer to, a buffer that stands elsewhere, too. */
function standsAlone(x: unknown): boolean {
  return (typeof x !== 'object' && typeof x !== 'function') || x === null || bufferOf(x) !== undefined
}

function copyAll(list: readonly unknown[], transferList: any[]): unknown[] {
  const copies = new Map<ArrayBuffer, ArrayBuffer>()
  return list.map((x) => {
    if (!isLarge(x)) return x
    const buffer = bufferOf(x)!
    let copy = copies.get(buffer)
    if (!copy) {
      copy = bufferToFill(buffer.byteLength)
      new Uint8Array(copy).set(new Uint8Array(buffer))
      copies.set(buffer, copy)
      transferList.push(copy)
    }
    return x === buffer ? copy : sameView(x as ArrayBufferView, copy)
  })
}

function sameView(x: ArrayBufferView, buffer: ArrayBuffer): ArrayBufferView {
  const [, Class] = viewClasses[viewNumber(x)!]!
  return new Class(buffer, x.byteOffset, x instanceof DataView ? x.byteLength : (x as Uint8Array).length)
}
