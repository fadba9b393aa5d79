/** The sizes of blocks: multiples of 16 up to 128, then four to each doubling. At most a fifth of a block is wasted. */

/** The largest block that shares a page with others. */
export const MOST_SMALL = 8192
export const SIZE_CLASSES = 8 + 6 * 4

/** The class of a size from 1 to `MOST_SMALL`. */
export function classOf(bytes: number): number {
  if (bytes <= 128) return (bytes - 1) >> 4
  const octave = 31 - Math.clz32(bytes - 1)
  return 8 + (octave - 7) * 4 + ((bytes - 1) >> (octave - 2)) - 4
}

/** The size of a class's blocks. */
export function bytesOf(index: number): number {
  if (index < 8) return (index + 1) << 4
  const octave = ((index - 8) >> 2) + 7
  return (((index - 8) & 3) + 5) << (octave - 2)
}
