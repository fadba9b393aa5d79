/** Generators whose iteration is given up. */
import { ApartmentThreaded, currentCall } from '@flatshare/apartment'

/** What a thread that is in no event loop says by shared memory. */
export const Word = { steps: 0, ended: 1, aborted: 2, waiting: 3 } as const

const turn = () => new Promise((resolve) => setImmediate(resolve))

/** Gives a number a turn, without an end. */
export async function* numbers(words: Int32Array): AsyncGenerator<number> {
  const { signal } = currentCall()!
  try {
    for (let i = 0; ; i++) {
      await turn()
      Atomics.store(words, Word.steps, i + 1)
      yield i
    }
  } finally {
    Atomics.store(words, Word.aborted, signal.aborted ? 1 : 2)
    Atomics.store(words, Word.ended, 1)
  }
}

/** Gives one number, and then nothing before its signal fires. */
export async function* oneThenNothing(words: Int32Array): AsyncGenerator<number> {
  const { signal } = currentCall()!
  const fired = new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
  try {
    yield 0
    Atomics.store(words, Word.waiting, 1)
    await fired
    seen = signal.reason
  } finally {
    Atomics.store(words, Word.ended, 1)
  }
}

/** Gives two numbers, and computes from then on until it is given up. */
export async function* thenSpins(words: Int32Array, wait: boolean): AsyncGenerator<number> {
  const { signal } = currentCall()!
  yield 0
  yield 1
  yield 2
  // The step that was asked for may have been answered meanwhile: this one runs ahead.
  if (wait) await turn()
  Atomics.store(words, Word.waiting, 1)
  while (!signal.aborted) Atomics.add(words, Word.steps, 1)
  Atomics.store(words, Word.ended, 1)
}

/** An object that is iterated afresh each time. */
export const iterable = (words: Int32Array): { readonly numbers: AsyncIterable<number> } => ({
  numbers: { [Symbol.asyncIterator]: () => numbers(words) },
})

let seen: unknown
export const lastSeen = (): unknown => seen

@ApartmentThreaded()
export class Counter {
  numbers(words: Int32Array): AsyncGenerator<number> {
    return numbers(words)
  }
  async *count(words: Int32Array): AsyncGenerator<number> {
    yield* numbers(words)
  }
  ping(): string {
    return 'pong'
  }
}
