import { describe, expect, it } from 'vitest'
import { FrameReader, framed } from '../dist/framing.js'

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()
const stream = (...frames: string[]) => Buffer.concat(frames.flatMap((frame) => framed(Buffer.from(frame))))

describe('frames in a stream of bytes', () => {
  const frames = ['', 'a', 'four', 'x'.repeat(300), 'é', '']
  const bytes = stream(...frames)

  it('arrive whole and in order wherever the stream is cut in two', () => {
    for (let cut = 0; cut <= bytes.length; cut++) {
      const reader = new FrameReader(1000)
      const got: Uint8Array[] = []
      reader.push(bytes.subarray(0, cut), got)
      reader.push(bytes.subarray(cut), got)
      expect(got.map(text), `cut at ${cut}`).toEqual(frames)
      expect(reader.amidst).toBe(false)
    }
  })

  it('arrive whole and in order in pieces of every size', () => {
    for (let size = 1; size <= bytes.length; size++) {
      const reader = new FrameReader(1000)
      const got: Uint8Array[] = []
      for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size), got)
      expect(got.map(text), `pieces of ${size}`).toEqual(frames)
    }
  })

  it('know of every byte whether a frame is being read', () => {
    const ends = new Set<number>([0])
    let end = 0
    for (const frame of frames) ends.add((end += 4 + Buffer.byteLength(frame)))
    const reader = new FrameReader(1000)
    for (let at = 0; at < bytes.length; at++) {
      reader.push(bytes.subarray(at, at + 1), [])
      expect(reader.amidst, `after ${at + 1} bytes`).toBe(!ends.has(at + 1))
    }
  })

  it('that are announced longer than allowed end the stream, after those before', () => {
    const reader = new FrameReader(10)
    const got: Uint8Array[] = []
    const long = stream('first', 'x'.repeat(11))
    expect(() => reader.push(long, got)).toThrow('A frame of 11 bytes was announced; at most 10 are taken')
    expect(got.map(text)).toEqual(['first'])
    const exact = new FrameReader(10)
    exact.push(stream('x'.repeat(10)), got)
    expect(got.map(text)).toEqual(['first', 'x'.repeat(10)])
  })

  it('that are announced too long are refused also when the header comes byte by byte', () => {
    const reader = new FrameReader(1 << 20)
    const header = Buffer.from([0xff, 0xff, 0xff, 0xff])
    for (const byte of header.subarray(0, 3)) reader.push(Buffer.of(byte), [])
    expect(() => reader.push(header.subarray(3), [])).toThrow('A frame of 4,294,967,295 bytes')
  })

  it('that are announced and never come take no memory', () => {
    const reader = new FrameReader(0xffffffff)
    const header = Buffer.alloc(4)
    header.writeUInt32LE(0xfffffff0)
    reader.push(header, [])
    reader.push(Buffer.alloc(10), [])
    expect(reader.held).toBe(14)
  })
})
