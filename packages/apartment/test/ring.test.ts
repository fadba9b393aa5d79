import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { currentThread, FlatshareError } from '@flatshare/core'
import {
  announce,
  fallAsleep,
  holdOpen,
  isAlive,
  onBell,
  onThreadExitInternal,
  postsNow,
  views,
} from '@flatshare/core/internal'
import { afterEach, describe, expect, it } from 'vitest'
import { createRing, leaveRing, MAX_RECORD, READER, RING_BYTES, RingReader, RingWriter, WRITER } from '../dist/ring.js'

const me = currentThread.id
const started: Worker[] = []
afterEach(async () => {
  await Promise.all(started.splice(0).map((worker) => worker.terminate()))
})

function ends() {
  const ring = createRing(me)
  return { ring, writer: new RingWriter(ring), reader: new RingReader(ring) }
}

function leave(ring: number): void {
  leaveRing(ring, WRITER)
  leaveRing(ring, READER)
}

async function startReader(): Promise<{ worker: Worker; id: number }> {
  const worker = new Worker(new URL('./threads/ring-reading.js', import.meta.url))
  started.push(worker)
  const [id] = (await once(worker, 'message')) as [number]
  return { worker, id }
}

describe('a ring', () => {
  it('has room for the largest record wherever it stands, when it is empty', () => {
    const { ring, writer, reader } = ends()
    // Steps that have no divisor in common with its size.
    for (let i = 0; i < 10_000; i++) {
      const start = writer.reserve(MAX_RECORD)
      expect(start % 8).toBe(0)
      expect(start).toBeGreaterThan(0)
      expect(writer.room).toBeGreaterThanOrEqual(MAX_RECORD)
      writer.commit(i, i % MAX_RECORD)
      expect(writer.publish()).toBe(true)
      expect(reader.next()).toBe(true)
      expect([reader.kind, reader.start, reader.bytes]).toEqual([i, start, i % MAX_RECORD])
      expect(reader.next()).toBe(false)
      expect(reader.release()).toBe(false)
    }
    leave(ring)
  })

  it('says of the next record whether it is what is waited for, and takes nothing', () => {
    const { ring, writer, reader } = ends()
    expect(reader.isNext(3, 42)).toBe(false)
    const start = writer.reserve(8)
    views.f64[start >> 3] = 42
    writer.commit(3, 8)
    expect(reader.isNext(3, 42)).toBe(false)
    writer.publish()
    expect([reader.isNext(3, 42), reader.isNext(2, 42), reader.isNext(3, 41)]).toEqual([true, false, false])
    expect(reader.next()).toBe(true)
    expect([reader.kind, views.f64[reader.start >> 3]]).toEqual([3, 42])
    expect(reader.isNext(3, 42)).toBe(false)
    leave(ring)
  })

  it('shows what was published, and nothing else', () => {
    const { ring, writer, reader } = ends()
    for (const kind of [1, 2]) {
      writer.reserve(8)
      writer.commit(kind, 8)
    }
    expect(reader.next()).toBe(false)
    expect([writer.publish(), writer.publish()]).toEqual([true, false])
    writer.reserve(8)
    writer.commit(3, 8)
    expect([reader.next(), reader.kind]).toEqual([true, 1])
    expect([reader.next(), reader.kind]).toEqual([true, 2])
    expect(reader.next()).toBe(false)
    leave(ring)
  })

  it('is full at its capacity, and has its reader say when half of it is free', () => {
    const { ring, writer, reader } = ends()
    const records = RING_BYTES / 64
    for (let i = 0; i < records; i++) {
      expect(writer.reserve(56)).toBeGreaterThan(0)
      writer.commit(i, 56)
    }
    expect([writer.reserve(), writer.room]).toEqual([0, 0])
    writer.publish()
    expect(writer.wantRoom()).toBe(true)
    const told: number[] = []
    for (let i = 1; i <= records; i++) {
      expect(reader.next()).toBe(true)
      if (reader.release()) told.push(i)
    }
    expect(told).toEqual([records / 2])
    expect(writer.wantRoom()).toBe(false)
    leave(ring)
  })

  it('takes the place of one that both ends have left', () => {
    const first = ends()
    leave(first.ring)
    for (let i = 0; i < 100; i++) {
      const { ring } = ends()
      expect(ring % 2 ** 30).toBe(first.ring % 2 ** 30)
      expect(ring).not.toBe(first.ring)
      expect(() => new RingReader(first.ring)).toThrow(FlatshareError)
      // One that has left comes too late for the next.
      leave(first.ring)
      leave(ring)
    }
  })

  it('takes the place of one whose reader has died without a word', async () => {
    const { worker, id } = await startReader()
    const ring = createRing(id)
    leaveRing(ring, WRITER)
    const heard = new Promise<void>((resolve) => onThreadExitInternal((exit) => void (exit.id === id && resolve())))
    await worker.terminate()
    const release = holdOpen()
    await heard
    release()
    expect(isAlive(id)).toBe(false)
    const next = createRing(me)
    expect(next % 2 ** 30).toBe(ring % 2 ** 30)
    leave(next)
  })

  it('carries records of all sizes to a thread that sleeps, and wakes the writer when there is room', async () => {
    const { worker, id } = await startReader()
    const ring = createRing(id)
    const writer = new RingWriter(ring)
    const count = 5_000
    const replies: unknown[] = []
    worker.on('message', (reply) => replies.push(reply))
    worker.postMessage({ ring, writer: me, count })
    const release = holdOpen()
    let written = 0
    let waits = 0
    await new Promise<void>((resolve) => {
      const publish = () => {
        if (writer.publish()) announce(id)
      }
      const write = () => {
        for (;;) {
          const seen = postsNow()
          while (written < count) {
            const bytes = (written * 7919) % (written % 3 === 0 ? MAX_RECORD : 200)
            const start = writer.reserve(bytes)
            if (start === 0) {
              publish()
              if (writer.wantRoom()) break
              continue
            }
            views.u8.fill(written & 0xff, start, start + bytes)
            writer.commit(written++, bytes)
            if (written % 5 === 0) publish()
          }
          publish()
          if (written === count) return resolve()
          waits++
          if (fallAsleep(seen)) return
        }
      }
      onBell(write)
      write()
    })
    while (replies.length === 0) await once(worker, 'message')
    release()
    leaveRing(ring, WRITER)
    expect(replies).toEqual(['read'])
    expect(waits).toBeGreaterThan(10)
  })
})
