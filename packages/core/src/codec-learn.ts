/**
 * Shapes that a link carries, as they arrive: in a value that is decoded, and in one that can't be. Whatever keeps a
 * value from being decoded (a pattern that this runtime doesn't know, nesting deeper than this stack) mustn't keep
 * later values from it, which refer to its shapes. So then its tokens are gone through one by one, and nothing is made.
 */
import { Tag } from './codec-format.js'
import { arrivedKeyList, type KeyList, keepKeyList } from './codec-keys.js'
import type { ByteReader } from './codec-reader.js'
import type { ReceivedShapes } from './codec-shapes.js'

/** A key list, in most cases for the first time; its token has been read. */
export function readShape(reader: ByteReader, shapes: ReceivedShapes): KeyList {
  const number = reader.varint() - 1
  const count = reader.count()
  const hash = reader.uint32()
  const lengths = reader.bytes(count)
  const joined = reader.string()
  let list = arrivedKeyList(hash)
  if (!list || list.joined !== joined || list.lengths.length !== count || !lengths.every(isAt, list.lengths)) {
    let units = 0
    for (let i = 0; i < count; i++) units += lengths[i]!
    if (units !== joined.length) throw reader.damaged('the keys of an object are others')
    list = keepKeyList(joined, lengths.slice(), hash)
  }
  if (number >= 0 && !shapes.learn(number, list)) throw reader.damaged('an object has keys of no number')
  return list
}

function isAt(this: Uint8Array, x: number, i: number): boolean {
  return this[i] === x
}

/** Learns the shapes of the value between two addresses, as far as its bytes aren't damaged. */
export function learnShapes(reader: ByteReader, start: number, end: number, shapes: ReceivedShapes): void {
  try {
    reader.beginInArena(start, end, 0)
    while (reader.at < end) passToken(reader, reader.byte(), shapes)
  } catch {
    // The bytes are damaged; that is being thrown already.
  } finally {
    reader.finish()
  }
}

function passToken(reader: ByteReader, tag: number, shapes: ReceivedShapes): void {
  if (tag >= Tag.smallArray) return
  if (tag >= Tag.smallString) {
    reader.skip(tag - Tag.smallString)
    return
  }
  switch (tag) {
    case Tag.integer:
    case Tag.again:
    case Tag.array:
    case Tag.sameKeys:
    case Tag.longObject:
      reader.varint()
      return
    case Tag.double:
    case Tag.bigint64:
    case Tag.date:
      reader.skip(8)
      return
    case Tag.ascii:
    case Tag.latin1:
    case Tag.utf8:
    case Tag.buffer:
      reader.skip(reader.run())
      return
    case Tag.utf16:
      reader.skip(reader.run(2) * 2)
      return
    case Tag.keyedArray:
      reader.varint()
      reader.varint()
      return
    case Tag.resizableBuffer:
      // A number stands before the bytes.
      passToken(reader, reader.byte(), shapes)
      reader.skip(reader.run())
      return
    case Tag.view:
      reader.skip(1)
      reader.varint()
      reader.varint()
      return
    case Tag.object:
      readShape(reader, shapes)
  }
}
