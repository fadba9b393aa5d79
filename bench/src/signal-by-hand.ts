/** What the two threads of `signal.bench.ts` share. */

/** 0: whose turn it is, an index of the benchmark's rows, −1 for none; 1: whether the partner plays. */
export enum Cell {
  turn = 0,
  plays = 1,
}

/** Rounds of one sample. */
export const ROUNDS = 2000

/** One side of the game: sets the other's signal, waits for its own. */
export interface Side {
  set(): void
  wait(): void
}

/** An automatic event in one word as one writes it by hand: spins, then parks. */
export function handWritten(words: Int32Array, mine: number, other: number, spins: number): Side {
  // 0: not set, 1: set, 2: not set, and somebody is parked.
  return {
    set() {
      if (Atomics.exchange(words, other, 1) === 2) Atomics.notify(words, other, 1)
    },
    wait() {
      for (let spun = 0; spun < spins; spun++) {
        if (Atomics.load(words, mine) === 1 && Atomics.compareExchange(words, mine, 1, 0) === 1) return
      }
      for (;;) {
        if (Atomics.compareExchange(words, mine, 1, 0) === 1) return
        if (Atomics.compareExchange(words, mine, 0, 2) !== 1) Atomics.wait(words, mine, 2)
      }
    },
  }
}
