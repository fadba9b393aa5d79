import { dispose } from '@flatshare/free-threaded'
import type { Benchmark } from './benchmark.js'
import { Note, NoteByHand, PlainNote, texts } from './shared-heap-strings.js'
import { keep, timed } from './timed.js'

const TIMES = 100_000

const plain = new PlainNote()
const byHand = new NoteByHand(new SharedArrayBuffer(1024))
const note = new Note()
// A first call moves what the constructor has set to shared memory.
note.setTimes(1)

export default {
  title: 'A string of 100 characters in shared memory: set',
  rows: [
    {
      name: 'by hand: TextEncoder into a SharedArrayBuffer, no lock',
      run: () =>
        timed(TIMES, (times) => {
          for (let i = 0; i < times; i++) byHand.text = texts[i & 15]!
        }),
    },
    {
      name: 'a plain property (one thread only)',
      run: () =>
        timed(TIMES, (times) => {
          for (let i = 0; i < times; i++) plain.text = texts[i & 15]!
          keep(plain.text)
        }),
    },
    { name: 'a field, inside a locked method', run: () => timed(TIMES, (times) => note.setTimes(times)) },
    {
      name: 'a field, from outside (a lock for each)',
      run: () =>
        timed(TIMES, (times) => {
          for (let i = 0; i < times; i++) note.text = texts[i & 15]!
        }),
    },
  ],
  close: () => dispose(note),
} satisfies Benchmark
