/** Generators whose iteration is given up. */
import { ApartmentThreaded, currentCall } from '@flatshare/apartment'
import type { Cells } from './cells.js'
import './cells.js'

/** What a thread says that is in no event loop. */
export const Word = { steps: 0, ended: 1, aborted: 2, waiting: 3 } as const

const turn = () => new Promise((resolve) => setImmediate(resolve))

/** Gives a number a turn, without an end. */
export async function* numbers(words: Cells): AsyncGenerator<number> {
  const { signal } = currentCall()!
  try {
    for (let i = 0; ; i++) {
      await turn()
      words.store(Word.steps, i + 1)
      yield i
    }
  } finally {
    words.store(Word.aborted, signal.aborted ? 1 : 2)
    words.store(Word.ended, 1)
  }
}

/** Gives one number, and then nothing before its signal fires. */
export async function* oneThenNothing(words: Cells): AsyncGenerator<number> {
  const { signal } = currentCall()!
  const fired = new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
  try {
    yield 0
    words.store(Word.waiting, 1)
    await fired
    seen = signal.reason
  } finally {
    words.store(Word.ended, 1)
  }
}

/** Gives two numbers, and computes from then on until it is given up. */
export async function* thenSpins(words: Cells, wait: boolean): AsyncGenerator<number> {
  const { signal } = currentCall()!
  yield 0
  yield 1
  yield 2
  // The step that was asked for may have been answered meanwhile: this one runs ahead.
  if (wait) await turn()
  words.store(Word.waiting, 1)
  while (!signal.aborted) words.load(Word.steps)
  words.store(Word.ended, 1)
}

/** An object that is iterated afresh each time. */
export const iterable = (words: Cells): { readonly numbers: AsyncIterable<number> } => ({
  numbers: { [Symbol.asyncIterator]: () => numbers(words) },
})

let seen: unknown
export const lastSeen = (): unknown => seen

@ApartmentThreaded()
export class Counter {
  numbers(words: Cells): AsyncGenerator<number> {
    return numbers(words)
  }
  async *count(words: Cells): AsyncGenerator<number> {
    yield* numbers(words)
  }
  ping(): string {
    return 'pong'
  }
}
