/**
 * Values as bytes of the arena, written and read in place: what a link between two threads carries. The format is that
 * of `codec-format.ts`, without header and pools; the keys of objects are sent once (`codec-shapes.ts`).
 *
 * An encoding writes where the next record of a ring will be, which is its own until it ends, unless user code that it
 * runs (a getter, a codec, a marshaler) sends by the same ring: then `evictEncoding` has it go on elsewhere.
 */
import { Decoder, type LinkDecodeOptions } from './codec-decode.js'
import { Encoder, type LinkEncodeOptions } from './codec-encode.js'
import { OTHER, readPrimitives, writePrimitive, writePrimitives } from './codec-primitives.js'
import { reach, views } from './memory.js'

/** Those that nobody uses, and those that encode just now. */
const encoders: Encoder[] = []
const encoding: Encoder[] = []
const decoders: Decoder[] = []

/**
 * Encodes a value that `decodeFromArena` decodes once. Writes it at the arena's bytes from `start`, at most to `end`,
 * and gives the address behind. Where it doesn't fit there it goes on in private bytes, and gives a copy of those. What
 * takes more than `most` bytes, and doesn't fit either, is given up, at once: then the result is undefined, and nothing
 * is half-sent.
 *
 * What it gave must be sent, in the order in which encodings ended: later values refer to the keys in it.
 *
 * Anything that a message port may carry and bytes can't is refused, also where a marshaler would go on without it (a
 * field of an error), and so is what moves (`transfer`).
 *
 * @throws NotMarshalableError for what has no bytes; the message says where. Nothing is half-sent.
 */
export function encodeInto(
  x: unknown,
  start: number,
  end: number,
  most: number,
  options: LinkEncodeOptions,
): number | Uint8Array<ArrayBuffer> | undefined {
  if (end > views.u8.length) reach(end)
  const written = options.list ? writePrimitives(x as unknown[], start, end) : writePrimitive(x, start, end)
  if (written === 0) return encodeAny(x, start, end, most, options)
  options.shapes.hadReferences = false
  return written
}

function encodeAny(
  x: unknown,
  start: number,
  end: number,
  most: number,
  options: LinkEncodeOptions,
): number | Uint8Array<ArrayBuffer> | undefined {
  const encoder = encoders.pop() ?? new Encoder()
  encoding.push(encoder)
  try {
    return encoder.encodeForLink(x, start, end, most, options)
  } finally {
    encoding.pop()
    encoders.push(encoder)
  }
}

/** Where an encoding is in progress that began at `start`: it goes on in private bytes, and that place is free. */
export function evictEncoding(start: number): void {
  for (const { out } of encoding) if (out.beginsAt(start)) out.leaveArena()
}

/**
 * The value that `encodeInto` encoded, whose bytes lie in the arena. They aren't kept, and nothing in the value refers
 * to them.
 *
 * @throws FlatshareError for bytes that are damaged.
 * @throws NotMarshalableError for a reference whose package this thread hasn't imported, and for what is nested too
 * deeply for its stack.
 */
export function decodeFromArena(start: number, end: number, options: LinkDecodeOptions): unknown {
  if (end > views.u8.length) reach(end)
  const simple = readPrimitives(start, end)
  return simple === OTHER ? decodeAny(start, end, options) : simple
}

function decodeAny(start: number, end: number, options: LinkDecodeOptions): unknown {
  const decoder = decoders.pop() ?? new Decoder()
  try {
    return decoder.decodeForLink(start, end, options)
  } finally {
    decoders.push(decoder)
  }
}

/** Lets go of what a value refers to that nobody decodes. Its shapes are learned, for later values have them. */
export function releaseInArena(start: number, end: number, options: LinkDecodeOptions): void {
  const decoder = decoders.pop() ?? new Decoder()
  try {
    decoder.releaseForLink(start, end, options)
  } finally {
    decoders.push(decoder)
  }
}
