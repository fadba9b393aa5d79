/** What the two threads of `lock-contended.bench.ts` share. */

/** 0: whose turn it is, an index of the benchmark's rows, −1 for none; 1: the contender's rounds in this turn. */
export enum Cell {
  turn = 0,
  rounds = 1,
}

/** A futex mutex as one writes it by hand: spins, then parks. */
export function handWritten(word: Int32Array): (body: () => void) => void {
  return (body) => {
    if (Atomics.compareExchange(word, 0, 0, 1) !== 0) lockSlow()
    body()
    if (Atomics.exchange(word, 0, 0) === 2) Atomics.notify(word, 0, 1)
  }
  function lockSlow(): void {
    for (let spins = 0; spins < 1000; spins++) {
      if (Atomics.load(word, 0) === 0 && Atomics.compareExchange(word, 0, 0, 1) === 0) return
    }
    while (Atomics.exchange(word, 0, 2) !== 0) Atomics.wait(word, 0, 2)
  }
}

/** Some hundred nanoseconds of work. */
export function work(cells: Int32Array): number {
  let sum = 0
  for (let i = 0; i < 150; i++) sum += cells[2]! + i
  return sum
}
