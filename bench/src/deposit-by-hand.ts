const view = new Int32Array(new SharedArrayBuffer(64))
const doubles = new Float64Array(view.buffer)

/** What a careful author writes by hand: a lock word with its owner's id, and a view. */
export function depositByHand(amount: number): void {
  if (Atomics.compareExchange(view, 0, 0, 1) !== 0) throw new Error('contended')
  try {
    doubles[2]! += amount
  } finally {
    if (Atomics.exchange(view, 0, 0) !== 1) Atomics.notify(view, 0, 1)
  }
}
