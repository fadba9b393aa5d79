import { dispose } from '@flatshare/free-threaded'
import type { Benchmark } from './benchmark.js'
import { Note, NoteByHand, PlainNote, texts } from './shared-heap-strings.js'
import { keep, timed } from './timed.js'

const TIMES = 100_000
const NOTES = 1000

const plain = new PlainNote()
const byHand = new NoteByHand(new SharedArrayBuffer(1024))
const note = new Note()
const notes = Array.from({ length: NOTES }, () => new Note())
// A first call moves what the constructor has set to shared memory.
for (const each of [note, ...notes]) each.setTimes(1)
plain.text = byHand.text = texts[0]!

export default {
  title: 'A string of 100 characters in shared memory: get',
  rows: [
    {
      name: 'by hand: TextDecoder from a SharedArrayBuffer, no lock',
      run: () =>
        timed(TIMES, (times) => {
          let length = 0
          for (let i = 0; i < times; i++) length += byHand.text.length
          keep(length)
        }),
    },
    {
      name: 'a plain property (one thread only)',
      run: () =>
        timed(TIMES, (times) => {
          let length = 0
          for (let i = 0; i < times; i++) length += plain.text.length
          keep(length)
        }),
    },
    {
      name: 'a field that was set anew, from outside (a lock for each)',
      async run() {
        let [length, total] = [0, 0]
        const rounds = 20
        for (let round = 0; round < rounds; round++) {
          notes.forEach((each, i) => {
            each.text = texts[(i + round) & 15]!
          })
          total += await timed(NOTES, () => {
            for (const each of notes) length += each.text.length
          })
        }
        keep(length)
        return total / rounds
      },
    },
    {
      name: 'a field that was read before, inside a locked method',
      run: () => timed(TIMES, (times) => keep(note.readTimes(times))),
    },
    {
      name: 'a field that was read before, from outside (a lock for each)',
      run: () =>
        timed(TIMES, (times) => {
          let length = 0
          for (let i = 0; i < times; i++) length += note.text.length
          keep(length)
        }),
    },
  ],
  close: () => [note, ...notes].forEach(dispose),
} satisfies Benchmark
