/**
 * Messages as bytes: V8's own serialization, which structured clone is made of. What that keeps is kept: identity and
 * cycles within a message, `Map`s, dates, sparse arrays, −0, bigints, buffers and which views share one.
 *
 * Others were measured (`npm run bench -- process/codec`). msgpackr, with its extension for structured clone, takes somewhat
 * longer, and loses −0, holes, boxed values, lone surrogates, keys called `__proto__`, and which views share a buffer.
 * seroval takes three times as long without evaluating text, and loses what arrays have besides their elements.
 *
 * Of a `Buffer` its own bytes go, and no others that lie in the same memory: Node keeps many small ones in one block. It
 * arrives as a `Uint8Array`, as elsewhere.
 *
 * Bytes from others can't do more than fail: the format names no code and no class, and whatever it counts is checked
 * against the bytes that are there. `isDeeperThan` is for those who limit how deep it may go.
 */
import { Deserializer, Serializer } from 'node:v8'
import { tracksItsBuffer, viewClasses, viewNumber } from '@flatshare/core/internal'

/** What Node's classes have besides what its types tell. */
interface Internals {
  /** Called by V8, without `new`. */
  _getDataCloneError(message: string): Error
  _getSharedArrayBufferId(x: object): number
  _writeHostObject(x: object): void
  _setTreatArrayBufferViewsAsHostObjects(treat: boolean): void
  _readHostObject(): object
}

const BUFFER = 0xff
const TRACKS = 0x80

class Encoder extends Serializer {
  static {
    const internals = Encoder.prototype as unknown as Internals
    internals._getDataCloneError = (message) => new DOMException(message, 'DataCloneError')
    internals._getSharedArrayBufferId = () => {
      throw new DOMException("Shared memory can't cross to another process.", 'DataCloneError')
    }
    internals._writeHostObject = function (this: Encoder, x) {
      this.#write(x)
    }
  }

  constructor() {
    super()
    ;(this as unknown as Internals)._setTreatArrayBufferViewsAsHostObjects(true)
  }

  #write(x: object): void {
    if (!ArrayBuffer.isView(x)) {
      const name = x.constructor?.name || 'object'
      throw new DOMException(`A ${name} can't be copied to another process.`, 'DataCloneError')
    }
    if (Buffer.isBuffer(x)) {
      this.writeUint32(BUFFER)
      this.writeUint32(x.byteLength)
      this.writeRawBytes(x)
      return
    }
    const number = viewNumber(x)
    if (number === undefined) throw new DOMException('A view of an unknown kind.', 'DataCloneError')
    const tracks = tracksItsBuffer(x)
    this.writeUint32(number | (tracks ? TRACKS : 0))
    this.writeUint32(x.byteOffset)
    this.writeUint32(x instanceof DataView ? x.byteLength : (x as Uint8Array).length)
    this.writeValue(x.buffer)
  }
}

class Decoder extends Deserializer {
  static {
    const internals = Decoder.prototype as unknown as Internals
    internals._readHostObject = function (this: Decoder) {
      return this.#read()
    }
  }

  #read(): object {
    const kind = this.readUint32()
    if (kind === BUFFER) return new Uint8Array(this.readRawBytes(this.readUint32()))
    const [, Class] = viewClasses[kind & ~TRACKS] ?? []
    const offset = this.readUint32()
    const length = this.readUint32()
    const buffer: unknown = this.readValue()
    if (!Class || !(buffer instanceof ArrayBuffer)) throw new TypeError('A view without its buffer.')
    return kind & TRACKS ? new Class(buffer, offset) : new Class(buffer, offset, length)
  }
}

/**
 * The bytes of a value, after the given ones, and without those of the buffers that go apart.
 *
 * @throws DataCloneError for what can't be copied, RangeError for what is nested too deeply.
 */
export function encode(value: unknown, head: Uint8Array, apart: readonly ArrayBuffer[] = []): Uint8Array {
  const encoder = new Encoder()
  for (const [number, buffer] of apart.entries()) encoder.transferArrayBuffer(number, buffer)
  encoder.writeRawBytes(head)
  encoder.writeHeader()
  encoder.writeValue(value)
  return encoder.releaseBuffer()
}

/**
 * The value in the bytes, and in the buffers that came apart.
 *
 * @throws RangeError for what is nested too deeply for this thread's stack now, any other error for bytes that are none.
 */
export function decode(bytes: Uint8Array, apart: readonly ArrayBuffer[] = []): unknown {
  const decoder = new Decoder(bytes)
  for (const [number, buffer] of apart.entries()) decoder.transferArrayBuffer(number, buffer)
  if (!decoder.readHeader()) throw new TypeError('Bytes without their header.')
  return decoder.readValue()
}

/** Whether a value is nested deeper than that. Containers count, their members' members too. */
export function isDeeperThan(value: unknown, most: number): boolean {
  const seen = new Set<object>()
  let level: unknown[] = [value]
  for (let depth = 0; level.length > 0; depth++) {
    const next: unknown[] = []
    for (const x of level) {
      if (typeof x !== 'object' || x === null || seen.has(x) || ArrayBuffer.isView(x)) continue
      seen.add(x)
      if (depth === most) return true
      if (x instanceof Map) for (const [key, item] of x) next.push(key, item)
      else if (x instanceof Set) for (const item of x) next.push(item)
      else for (const key of Object.keys(x)) next.push((x as Record<string, unknown>)[key])
    }
    level = next
  }
  return false
}
