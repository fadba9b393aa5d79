/** The views of buffers, as the format knows them; and the codec's own of the arena. */
import { viewClasses } from './codec-format.js'
import { u8 } from './memory.js'

let seen: Uint8Array | undefined
let view: DataView

/** All that this thread's views of the arena cover. */
export function arenaView(): DataView {
  if (seen !== u8) {
    seen = u8
    view = new DataView(u8.buffer, 0, u8.length)
  }
  return view
}

const nameOf = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)!.get!
const numbers = new Map(viewClasses.map(([name], number) => [name, number]))

/** Its number in `viewClasses`; undefined for a kind that the format doesn't have. */
export function viewNumber(x: ArrayBufferView): number | undefined {
  return numbers.get((nameOf.call(x) as string | undefined) ?? 'DataView')
}

/** Whether a view grows with its buffer. No property tells: a clone of it is put to the test. */
export function tracksItsBuffer(x: ArrayBufferView): boolean {
  const buffer = x.buffer as ArrayBuffer
  if (!buffer.resizable || buffer.byteLength - x.byteOffset - x.byteLength >= 8) return false
  const clone = structuredClone(x)
  const cloned = clone.buffer as ArrayBuffer
  const length = clone.byteLength
  const room = Math.ceil((clone.byteOffset + length + 1) / 8) * 8
  if (room <= cloned.maxByteLength) {
    cloned.resize(room)
    return clone.byteLength > length
  }
  if (length === 0) return false
  cloned.resize(clone.byteOffset + length - 1)
  try {
    // Beyond its buffer now, unless it tracks that.
    if (clone instanceof DataView) return clone.byteLength >= 0
    ;(clone as Uint8Array).fill(0 as never)
    return true
  } catch {
    return false
  }
}
