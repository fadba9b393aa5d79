/** Two threads at a small ring, and those who make and leave rings. */
import type { Scenario, Thread, Words } from '../../../core/dist-test/explorer/interleavings.js'
import type { Instantiate } from '../../../core/dist-test/explorer/module-text.js'
import type * as RingModule from '../../dist/ring.js'

type Ring = typeof RingModule

/** What the scenarios run; tests put a broken one in its place. */
export const subject: { instantiate: Instantiate<Ring> | undefined } = { instantiate: undefined }

/** Four records of eight bytes of contents. */
export const CAPACITY = 64
export const small = ['const CAPACITY = 1 << 16;', `const CAPACITY = ${CAPACITY};`] as const

// Indices of words.
const LIST = 100
const FIRST_CONTROL = 1024
const CONTROL = 96
const FIRST_DATA = 4096
const DATA = CAPACITY / 4
const ENDS = 0
const NEXT = 1
const WRITER_ID = 3
const READER_ID = 4
const TAIL = 32
const HEAD = 64
const WANTED = 65
/** Of each piece of data, whether it is in use. */
const IN_USE = 10
const CONTROLS_MADE = 20
const HOLDER = 21
const DEAD = 30

const BOTH = 3
const RING = 2 ** 30 + FIRST_CONTROL * 4
const FORGED_CONTROL = 3000
const FORGED = 2 ** 30 + FORGED_CONTROL * 4

/** A ring of the threads 1, which writes, and 2, with nothing in it. */
const ringFrom = (start: number): Readonly<Record<number, number>> => ({
  [LIST + 1]: FIRST_CONTROL * 4,
  [CONTROLS_MADE]: 1,
  [FIRST_CONTROL + ENDS]: (1 << 2) | BOTH,
  [FIRST_CONTROL + 2]: FIRST_DATA * 4,
  [FIRST_CONTROL + WRITER_ID]: 1,
  [FIRST_CONTROL + READER_ID]: 2,
  [FIRST_CONTROL + TAIL]: start,
  [FIRST_CONTROL + HEAD]: start,
  [IN_USE]: 1,
})

class NoRing extends Error {}

function ringModule(thread: Thread): Ring {
  const imports = {
    FlatshareError: NoRing,
    views: { i32: thread.i32 },
    allocate: (bytes: number) => thread.op('allocate', bytes),
    free: (address: number, bytes: number) => void thread.op('free', address, bytes),
    isAlive: (id: number) => thread.op('load', DEAD + id) === 0,
    lockShortly: (index: number) => void thread.op('lock', index),
    unlockShortly: (index: number) => void thread.op('unlock', index),
    ownThreadId: () => thread.id,
    reach() {},
    sharedBlock: () => LIST * 4,
  }
  return subject.instantiate!({ imports, Atomics: thread.Atomics })
}

const ops: Scenario['ops'] = {
  allocate(words, _thread, [bytes]) {
    if (bytes !== CAPACITY) {
      words.set(CONTROLS_MADE, words.get(CONTROLS_MADE) + 1)
      return (FIRST_CONTROL + CONTROL * (words.get(CONTROLS_MADE) - 1)) * 4
    }
    let piece = 0
    while (words.get(IN_USE + piece) !== 0) piece++
    words.set(IN_USE + piece, 1)
    return (FIRST_DATA + DATA * piece) * 4
  },
  free(words, _thread, [address]) {
    const piece = (address! / 4 - FIRST_DATA) / DATA
    if (words.get(IN_USE + piece) !== 1) return 'bytes are freed that nobody has'
    words.set(IN_USE + piece, 0)
    return 0
  },
  lock(words, thread) {
    const holder = words.get(HOLDER)
    if (holder !== 0 && words.get(DEAD + holder) === 0) return undefined
    words.set(HOLDER, thread)
    return 0
  },
  unlock(words) {
    words.set(HOLDER, 0)
    return 0
  },
}

/** Nobody touches bytes that were freed. */
const refuse: Scenario['refuse'] = ([name, index], words) => {
  if ((name !== 'read' && name !== 'write') || index! < FIRST_DATA) return undefined
  return words.get(IN_USE + Math.floor((index! - FIRST_DATA) / DATA)) === 1
    ? undefined
    : 'bytes are touched that were freed'
}

const inUse = (words: Words): number => [0, 1, 2, 3].filter((piece) => words.get(IN_USE + piece) === 1).length

const WRONG = -1
const kindOf = (value: number): number => value % 3
const bytesOf = (value: number): number => [8, 5, 1][value % 3]!

/** Writes records, with the contents 1, 2, …, and publishes them in batches; sleeps while there is no room. */
const writes =
  (...batches: readonly number[]) =>
  (thread: Thread): void => {
    const writer = new (ringModule(thread).RingWriter)(RING)
    const publish = () => {
      if (writer.publish()) thread.wake(2)
    }
    let value = 0
    for (const batch of batches) {
      for (let i = 0; i < batch; i++) {
        value++
        let start = writer.reserve(bytesOf(value))
        while (start === 0) {
          publish()
          if (writer.wantRoom()) thread.sleep()
          start = writer.reserve(bytesOf(value))
        }
        if (writer.room < bytesOf(value)) thread.tell(WRONG)
        thread.i32[start >> 2] = value
        // Whatever the contents don't take is written by nobody else.
        if (bytesOf(value) > 4) thread.i32[(start >> 2) + 1] = value
        writer.commit(kindOf(value), bytesOf(value))
      }
      publish()
    }
  }

/** Reads so many records, and gives back their room each by itself, or of all that are there. */
const reads =
  (count: number, { each = false } = {}) =>
  (thread: Thread): void => {
    const reader = new (ringModule(thread).RingReader)(RING)
    const release = () => {
      if (reader.release()) thread.wake(1)
    }
    let value = 0
    for (;;) {
      while (reader.next()) {
        value++
        const first = thread.i32[reader.start >> 2]
        const second = bytesOf(value) > 4 ? thread.i32[(reader.start >> 2) + 1] : value
        const isRight = reader.kind === kindOf(value) && reader.bytes === bytesOf(value)
        if (!isRight || first !== value || second !== value) thread.tell(WRONG)
        if (each) release()
      }
      release()
      if (value === count) break
      thread.sleep()
    }
    thread.tell(count)
  }

const allRead =
  (count: number): Scenario['finally'] =>
  ([written, read]) => {
    if (written!.length > 0) return 'there was less room than promised'
    return read!.length === 1 && read![0] === count ? undefined : 'other records were read than were written'
  }

const stream = (start: number, batches: readonly number[], each = false): Scenario => {
  const count = batches.reduce((sum, batch) => sum + batch, 0)
  return {
    threads: [writes(...batches), reads(count, { each })],
    words: ringFrom(start),
    ops,
    refuse,
    finally: allRead(count),
  }
}

/** What one who doesn't fill the ring in order does. */
const writesBy =
  (write: (writer: InstanceType<Ring['RingWriter']>, thread: Thread) => void) =>
  (thread: Thread): void => {
    const writer = new (ringModule(thread).RingWriter)(RING)
    write(writer, thread)
    if (writer.publish()) thread.wake(2)
  }

/** Reads what there is once, and tells of each record how many bytes it has. */
const tellsBytes = (thread: Thread): void => {
  const reader = new (ringModule(thread).RingReader)(RING)
  thread.sleep()
  while (reader.next()) thread.tell(reader.bytes)
  reader.release()
}

const supervise = (thread: Thread, dead: number): void => {
  thread.Atomics.store(0, DEAD + dead, 1)
  for (let id = 1; id <= 3; id++) if (id !== dead) thread.op('postExit', id)
}

const WRITER_END = 1
const READER_END = 2
const leaves =
  (end: 1 | 2) =>
  (thread: Thread): void =>
    ringModule(thread).leaveRing(RING, end)

const endsOf = (words: Words, ring: number): number => words.get((ring % 2 ** 30) / 4 + ENDS) & 3
const generationOf = (words: Words, ring: number): number => words.get((ring % 2 ** 30) / 4 + ENDS) >>> 2

/** The ring of a name is there, with both ends and its bytes. */
function isWhole(words: Words, ring: number): boolean {
  const address = ring % 2 ** 30
  let listed = words.get(LIST + 1)
  while (listed !== 0 && listed !== address) listed = words.get(listed / 4 + NEXT)
  const piece = (words.get((ring % 2 ** 30) / 4 + 2) / 4 - FIRST_DATA) / DATA
  const isThis = generationOf(words, ring) === Math.floor(ring / 2 ** 30)
  return listed !== 0 && isThis && endsOf(words, ring) === BOTH && words.get(IN_USE + piece) === 1
}

const allFreed: Scenario['finally'] = (_told, words) => (inUse(words) === 0 ? undefined : 'the bytes were not freed')

const life = { words: ringFrom(0), ops, refuse, supervise }

export const scenarios: Readonly<Record<string, Scenario>> = {
  'records are published one by one': stream(0, [1, 1, 1]),
  'records are published in batches': stream(0, [2, 1]),
  'a record does not fit before the end': stream(CAPACITY - 8, [1, 1]),
  'a record ends where the ring does': stream(CAPACITY - 16, [1, 1]),
  'the counters wrap around': stream(2 ** 31 - 24, [1, 1, 1], true),
  'the counters wrap around while the ring is full': stream(2 ** 31 - 32, [4, 1]),
  'the ring is filled, and the room given back one by one': stream(0, [4, 2], true),
  'the ring is filled, and the room given back at once': stream(0, [4, 2]),
  'the ring is full where a record does not fit before the end': stream(8, [3, 1]),
  'the ring is filled again and again': { ...stream(8, [3, 3], true), preemptions: 2 },
  'what the writer knows of the room': {
    threads: [
      (thread) => {
        const { RingReader, RingWriter } = ringModule(thread)
        const writer = new RingWriter(RING)
        const reader = new RingReader(RING)
        const isRight = (...what: boolean[]) => {
          if (what.includes(false)) thread.tell(WRONG)
        }
        for (const bytes of [8, 8, 8, 0]) {
          isRight(writer.reserve(bytes) !== 0)
          writer.commit(0, bytes)
        }
        isRight(writer.publish(), writer.wantRoom())
        // Announced is half of the ring, and that once.
        isRight(reader.next(), !reader.release(), reader.next(), reader.release())
        while (reader.next());
        isRight(!reader.release())
        // It knew of eight bytes, and looks: before the end there are no more.
        isRight(writer.reserve(0) !== 0, writer.room === 0)
        const behind = writer.reserve(8)
        isRight(behind !== 0, writer.room === CAPACITY - 16)
        // What failed leaves nothing out.
        isRight(writer.reserve(CAPACITY) === 0)
        writer.commit(1, 0)
        isRight(writer.publish(), !writer.wantRoom(), reader.next(), reader.kind === 1, reader.start === behind + 56)
        isRight(!reader.release())
      },
    ],
    words: { ...ringFrom(2 ** 31 - CAPACITY), [FIRST_CONTROL + READER_ID]: 1 },
    ops,
    refuse,
    finally: ([told]) => (told!.length === 0 ? undefined : 'the writer takes the room for another than it is'),
  },
  'what is reserved at last is at the end': {
    threads: [
      (thread) => {
        const { RingReader, RingWriter } = ringModule(thread)
        const writer = new RingWriter(RING)
        const reader = new RingReader(RING)
        const beginning = writer.reserve(8)
        const end = writer.reserve(0)
        writer.commit(0, 0)
        writer.publish()
        if (end !== beginning + CAPACITY - 8 || !reader.next() || reader.start !== end) thread.tell(WRONG)
      },
    ],
    words: { ...ringFrom(CAPACITY - 8), [FIRST_CONTROL + READER_ID]: 1 },
    ops,
    refuse,
    finally: ([told]) => (told!.length === 0 ? undefined : 'the record is elsewhere'),
  },
  'much is left before the end': {
    threads: [
      writesBy((writer, thread) => {
        thread.i32[writer.reserve(16) >> 2] = 1
        writer.commit(0, 16)
      }),
      tellsBytes,
    ],
    words: ringFrom(CAPACITY - 16),
    ops,
    refuse,
    finally: ([, read]) => (String(read) === '16' ? undefined : `read ${String(read)}`),
  },
  'the writer waits where the counters wrap around': {
    threads: [
      (thread) => {
        const { RingWriter } = ringModule(thread)
        const writer = new RingWriter(RING)
        for (let i = 0; i < 4; i++) {
          writer.reserve(8)
          writer.commit(0, 8)
        }
        if (writer.reserve(8) !== 0 || !writer.publish() || !writer.wantRoom()) thread.tell(WRONG)
      },
    ],
    words: ringFrom(2 ** 31 - 16),
    ops,
    refuse,
    finally: ([told]) => (told!.length === 0 ? undefined : 'the writer finds room where there is none'),
  },
  'a record is filled up, and one is not committed': {
    threads: [
      writesBy((writer, thread) => {
        // What is reserved and not committed leaves no trace, nor does what finds no room.
        const given = writer.reserve(8)
        if (writer.reserve(8) !== given) thread.tell(WRONG)
        if (writer.reserve(CAPACITY) !== 0 || writer.room !== 0) thread.tell(WRONG)
        const start = writer.reserve()
        if (start !== given || writer.room !== 40) thread.tell(WRONG)
        thread.i32[(start + writer.room - 4) >> 2] = 1
        writer.commit(0, writer.room)
        writer.reserve(0)
        if (writer.room !== 8) thread.tell(WRONG)
        writer.commit(0, 0)
      }),
      tellsBytes,
    ],
    words: ringFrom(16),
    ops,
    refuse,
    finally: ([written, read]) =>
      written!.length === 0 && String(read) === '40,0' ? undefined : `read ${String(read)}, written ${String(written)}`,
  },
  'both ends leave': {
    ...life,
    threads: [leaves(WRITER_END), leaves(READER_END)],
    finally: allFreed,
  },
  'both ends leave after they have used the ring': {
    ...life,
    threads: [
      (thread) => {
        writes(1)(thread)
        leaves(WRITER_END)(thread)
      },
      (thread) => {
        reads(1)(thread)
        leaves(READER_END)(thread)
      },
    ],
    finally: allFreed,
  },
  'both ends leave, one of them twice': {
    ...life,
    threads: [
      leaves(WRITER_END),
      (thread) => {
        leaves(READER_END)(thread)
        leaves(READER_END)(thread)
      },
    ],
    finally: allFreed,
  },
  'the writer leaves and inherits from the reader, which dies without leaving': {
    ...life,
    mortal: [2],
    threads: [
      (thread) => {
        const ring = ringModule(thread)
        thread.onExit(() => ring.inheritRing(RING))
        ring.leaveRing(RING, WRITER_END)
      },
      () => {},
    ],
    finally: (_told, words) => {
      if (endsOf(words, RING) !== (words.get(DEAD + 2) ? 0 : READER_END)) return 'another end is left than should be'
      return inUse(words) === (words.get(DEAD + 2) ? 0 : 1) ? undefined : 'the bytes were not freed'
    },
  },
  'the reader dies at any time, and the writer inherits from it': {
    ...life,
    mortal: [2],
    threads: [
      (thread) => {
        const ring = ringModule(thread)
        thread.onExit(() => ring.inheritRing(RING))
      },
      leaves(READER_END),
    ],
    finally: (_told, words) => {
      if (endsOf(words, RING) !== (words.get(DEAD + 2) ? 0 : WRITER_END)) return 'another end is left than should be'
      return inUse(words) === (words.get(DEAD + 2) ? 0 : 1) ? undefined : 'the bytes were not freed'
    },
  },
  'one inherits late, when the block has become another ring': {
    ...life,
    mortal: [2],
    preemptions: 2,
    threads: [
      (thread) => {
        const ring = ringModule(thread)
        thread.onExit(() => ring.inheritRing(RING))
        ring.leaveRing(RING, WRITER_END)
      },
      leaves(READER_END),
      (thread) => thread.tell(ringModule(thread).createRing(1)),
    ],
    finally: ([, , [made]], words) => (isWhole(words, made!) ? undefined : 'the new ring is not whole'),
  },
  'who makes a ring takes back what the dead had': {
    ...life,
    mortal: [2],
    threads: [
      leaves(WRITER_END),
      () => {},
      (thread) => thread.onExit(() => thread.tell(ringModule(thread).createRing(1))),
    ],
    finally: ([, , [made]], words) => {
      if (made === undefined) return undefined
      if (inUse(words) !== 1) return 'the bytes of the dead are lost, or those of the new ring'
      return isWhole(words, made) ? undefined : 'the new ring is not whole'
    },
  },
  'who makes a ring takes back what a dead writer had': {
    ...life,
    mortal: [1],
    threads: [
      () => {},
      leaves(READER_END),
      (thread) => thread.onExit(() => thread.tell(ringModule(thread).createRing(1))),
    ],
    finally: ([, , [made]], words) =>
      made === undefined || inUse(words) === 1 ? undefined : 'the bytes of the dead are lost, or those of the new ring',
  },
  'one leaves as another one makes a ring': {
    ...life,
    words: { ...ringFrom(0), [FIRST_CONTROL + ENDS]: (1 << 2) | READER_END },
    threads: [(thread) => thread.tell(ringModule(thread).createRing(3)), leaves(READER_END)],
    finally: ([[made]], words) => {
      if (!isWhole(words, made!)) return 'the new ring is not whole'
      return inUse(words) === 1 ? undefined : 'other bytes are in use than those of the new ring'
    },
  },
  'a ring is made where another one was full': {
    ...life,
    words: {
      ...ringFrom(0),
      [FIRST_CONTROL + ENDS]: 1 << 2,
      [FIRST_CONTROL + TAIL]: 2 * CAPACITY,
      [FIRST_CONTROL + HEAD]: CAPACITY,
      [FIRST_CONTROL + WANTED]: 1,
      [FIRST_CONTROL + WRITER_ID]: 3,
      [IN_USE]: 0,
    },
    threads: [
      (thread) => {
        const { createRing, RingReader, RingWriter } = ringModule(thread)
        const ring = createRing(1)
        const writer = new RingWriter(ring)
        const reader = new RingReader(ring)
        if (reader.next()) thread.tell(WRONG)
        for (const value of [1, 2]) {
          const start = writer.reserve(8)
          if (writer.room !== CAPACITY - 16 * value + 8) thread.tell(WRONG)
          thread.i32[start >> 2] = value
          writer.commit(value, 4)
        }
        if (!writer.publish() || writer.publish()) thread.tell(WRONG)
        for (const value of [1, 2]) if (!reader.next() || reader.kind !== value) thread.tell(WRONG)
        if (reader.next() || reader.release()) thread.tell(WRONG)
      },
    ],
    finally: ([told], words) => {
      if (told!.length > 0) return 'the new ring is not empty'
      const [writer, reader] = [WRITER_ID, READER_ID].map((word) => words.get(FIRST_CONTROL + word))
      return writer === 1 && reader === 1 ? undefined : 'the new ring is somebody else’s'
    },
  },
  'one inherits while another one takes back': {
    ...life,
    mortal: [2],
    threads: [
      (thread) => {
        const ring = ringModule(thread)
        thread.onExit(() => ring.inheritRing(RING))
      },
      () => {},
      (thread) => thread.onExit(() => thread.tell(ringModule(thread).createRing(1))),
    ],
    finally: ([, , [made]], words) => {
      if (made === undefined) return undefined
      if (inUse(words) !== 1) return 'the bytes of the dead are lost, or those of the new ring'
      return isWhole(words, made) ? undefined : 'the new ring is not whole'
    },
  },
  'two make a ring, of whom one may die': {
    ...life,
    words: {},
    mortal: [1],
    preemptions: 2,
    threads: [1, 2].map(() => (thread: Thread) => thread.tell(ringModule(thread).createRing(2))),
    finally: ([[first], [second]], words) => {
      if (first === second) return 'two rings are one'
      if (!isWhole(words, second!)) return 'the second ring is not whole'
      return first === undefined || words.get(DEAD + 1) || isWhole(words, first) ? undefined : 'the first is not whole'
    },
  },
  'one dies while it makes a ring where another one was': {
    ...life,
    // The bytes of that one are somebody else's now.
    words: { ...ringFrom(0), [FIRST_CONTROL + ENDS]: 1 << 2, [FIRST_CONTROL + READER_ID]: 1 },
    mortal: [1],
    threads: [
      (thread) => void ringModule(thread).createRing(2),
      (thread) => thread.onExit(() => thread.tell(ringModule(thread).createRing(1))),
    ],
    finally: ([, [made]], words) => {
      if (made === undefined) return undefined
      const isSomebodys = words.get(FIRST_CONTROL + 2) === FIRST_DATA * 4
      return isWhole(words, made) && !isSomebodys ? undefined : 'the new ring is not whole, or has somebody’s bytes'
    },
  },
  'a writer that has died is no reason to take the ring from its reader': {
    ...life,
    mortal: [1],
    preemptions: 2,
    threads: [
      writes(1),
      (thread) => {
        const { leaveRing, RingReader } = ringModule(thread)
        const reader = new RingReader(RING)
        thread.sleep()
        while (reader.next()) thread.tell(thread.i32[reader.start >> 2]!)
        leaveRing(RING, READER_END)
      },
      (thread) => thread.onExit(() => thread.tell(ringModule(thread).createRing(2))),
    ],
    supervise(thread, dead) {
      supervise(thread, dead)
      // Nothing comes any more: the reader's sleep ends.
      thread.wake(2)
    },
    finally: ([, read]) => (read!.every((value) => value === 1) ? undefined : 'something else was read'),
  },
  'one reads by a name that is not, or not any more, its ring’s': {
    ...life,
    // Somewhere it looks as if there was a ring.
    words: { ...ringFrom(0), [FORGED_CONTROL + ENDS]: (1 << 2) | BOTH, [FORGED_CONTROL + READER_ID]: 2 },
    threads: [
      leaves(WRITER_END),
      (thread) => {
        const { RingReader, leaveRing } = ringModule(thread)
        const refused = (name: number) => {
          try {
            return new RingReader(name) === undefined
          } catch (error) {
            return error instanceof NoRing
          }
        }
        for (const name of [RING + 2 ** 30, FORGED, Number.NaN, -RING, 0.5]) if (!refused(name)) thread.tell(WRONG)
        if (refused(RING)) thread.tell(WRONG)
        leaveRing(RING, READER_END)
        if (!refused(RING)) thread.tell(WRONG)
      },
      (thread) => {
        const { RingReader } = ringModule(thread)
        try {
          new RingReader(RING)
          thread.tell(WRONG)
        } catch (error) {
          if (!(error instanceof NoRing)) throw error
        }
      },
    ],
    preemptions: 1,
    finally: (told) => (told.flat().length === 0 ? undefined : 'a name leads to a ring that is not for this thread'),
  },
}
