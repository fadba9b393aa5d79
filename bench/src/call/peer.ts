/**
 * A way to call another thread: a library as its documentation recommends it for Node's worker threads, or a few lines
 * by hand.
 */
export interface Peer {
  readonly name: string
  /** `'limit'`: no peer to be compared with, what the machine allows. `'variant'`: Flatshare, set otherwise. */
  readonly role?: 'limit' | 'variant'
  /** Starts a worker of its own, and waits for no more than the peer itself needs before its first call. */
  start(): Promise<StartedPeer>
}

/** What can be done with it; what the library has no way for is left out, and a comment there says why. */
export interface StartedPeer {
  add?(a: number, b: number): PromiseLike<number>

  /** The same, blocking the calling thread until the answer is there. */
  addBlocking?(a: number, b: number): number
  /** The same for a peer that blocks workers alone: so many calls of the worker, their nanoseconds each. */
  timeBlocking?(times: number): PromiseLike<number>

  /** There and back, copied twice. */
  echo?<T>(value: T): PromiseLike<T>
  /** There and back, moved twice: the array that is given is empty afterwards. */
  move?(bytes: Uint8Array<ArrayBuffer>): PromiseLike<Uint8Array<ArrayBuffer>>

  /** Hands over a function of this thread, once. */
  listen?(listener: (x: number) => number): PromiseLike<unknown>
  /** A call there that calls what `listen` has handed over, and answers with its result. */
  callBack?(x: number): PromiseLike<number>

  /** Makes a `Counter` there, waits for its proxy, lets go of it. */
  create?(): PromiseLike<void>

  close(): Promise<void>
}
