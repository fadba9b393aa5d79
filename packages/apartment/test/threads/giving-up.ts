/** Objects whose calls are given up: some look at their signal, some listen to it, some do neither. */
import { ApartmentThreaded, blocking, callWith, currentCall, type Remote } from '@flatshare/apartment'

/** What a thread that is in no event loop says by shared memory. */
export const Cell = { begun: 0, ended: 1, timedOut: 2 } as const

export const newCells = (): Int32Array => new Int32Array(new SharedArrayBuffer(12))

/** Resolves when the cell is set. */
export async function untilSet(cells: Int32Array, cell: number): Promise<void> {
  while (Atomics.load(cells, cell) === 0) await new Promise((resolve) => setImmediate(resolve))
}

/** Makes a call with a deadline, later and later until one of them has begun before it; gives its error. */
export async function untilBegun(
  call: (timeout: number, cells: Int32Array) => unknown,
): Promise<{ readonly error: any; readonly cells: Int32Array }> {
  for (let timeout = 20; ; timeout *= 2) {
    const cells = newCells()
    try {
      await call(timeout, cells)
    } catch (error) {
      if (Atomics.load(cells, Cell.begun) !== 0) return { error, cells }
    }
  }
}

@ApartmentThreaded()
export class Busy {
  #seen: unknown
  #heard: unknown

  /** Runs, without ever awaiting, until its caller wants it no more. */
  spin(cells: Int32Array): string {
    const { signal } = currentCall()!
    Atomics.store(cells, Cell.begun, 1)
    while (!signal.aborted) Atomics.add(cells, Cell.timedOut, 0)
    this.#seen = signal.reason
    Atomics.store(cells, Cell.timedOut, (signal.reason as Error).name === 'TimeoutError' ? 1 : 2)
    Atomics.store(cells, Cell.ended, 1)
    return 'ended'
  }

  /** The same by `throwIfAborted`. */
  spinUntilThrown(cells: Int32Array): void {
    const { signal } = currentCall()!
    Atomics.store(cells, Cell.begun, 1)
    try {
      for (;;) signal.throwIfAborted()
    } catch (error) {
      this.#seen = error
      Atomics.store(cells, Cell.ended, 1)
      throw error
    }
  }

  /** Looks at nothing. */
  forever(cells: Int32Array): void {
    for (;;) Atomics.store(cells, Cell.begun, 1)
  }

  /** Sees by a look that it was given up, and only then goes back to where events can come. */
  async eventAfter(cells: Int32Array): Promise<boolean[]> {
    const { signal } = currentCall()!
    const fired = new Promise<Event>((resolve) => signal.addEventListener('abort', resolve, { once: true }))
    const any = AbortSignal.any([signal])
    Atomics.store(cells, Cell.begun, 1)
    while (!signal.aborted) Atomics.add(cells, Cell.timedOut, 0)
    const early = signal.reason as unknown
    const event = await fired
    this.#heard = [
      event.target === signal,
      signal.reason === early,
      any.aborted && any.reason === early,
      signal instanceof AbortSignal,
      Object.prototype.toString.call(signal) === '[object AbortSignal]',
      AbortSignal.any([signal]).reason === early,
    ]
    Atomics.store(cells, Cell.ended, 1)
    return []
  }

  /** Listens. */
  async listen(begun: () => unknown): Promise<void> {
    const { signal } = currentCall()!
    const fired = new Promise((resolve) => signal.addEventListener('abort', resolve))
    await begun()
    await fired
    this.#seen = signal.reason
  }

  async waitFor(promise: () => unknown): Promise<unknown> {
    return promise()
  }

  seen(): unknown {
    return this.#seen
  }

  heard(): unknown {
    return this.#heard
  }

  /** Keeps the signal of a call that has ended. */
  keepSignal(): boolean {
    this.#kept = currentCall()!.signal
    return this.#kept.aborted
  }
  #kept: AbortSignal | undefined
  keptAborted(): boolean {
    return this.#kept!.aborted
  }

  /** The deadlines of a call and of the one that it makes. */
  async deadlines(other: Remote<Busy>, timeout?: number): Promise<Array<number | undefined>> {
    const { deadline } = currentCall()!
    return [deadline, await (timeout === undefined ? other : callWith(other, { timeout })).deadline()]
  }
  deadline(): number | undefined {
    return currentCall()!.deadline
  }

  ping(): string {
    return 'pong'
  }
}

/** Makes calls from here. */
@ApartmentThreaded()
export class Caller {
  async spin(busy: Remote<Busy>, cells: Int32Array): Promise<string> {
    return busy.spin(cells)
  }
  /** Blocks there, with this call's own signal. */
  block(busy: Remote<Busy>, cells: Int32Array): string {
    return blocking(callWith(busy, { signal: currentCall()!.signal })).spin(cells)
  }
  blockForDeadline(busy: Remote<Busy>): Array<number | undefined> {
    return [currentCall()!.deadline, blocking(busy).deadline()]
  }
  async note(log: Remote<Log>, what: string): Promise<string[]> {
    return log.write(what)
  }
}

/** Notes the order of its calls. */
@ApartmentThreaded()
export class Log {
  readonly lines: string[] = []

  write(line: string): string[] {
    this.lines.push(line)
    return this.lines
  }
  async writeLater(line: string): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    this.lines.push(line)
  }
  fail(message: string): never {
    throw new RangeError(message)
  }
  async failLater(message: string): Promise<never> {
    await Promise.resolve()
    throw new RangeError(message)
  }
  failOddly(): never {
    throw Object.create(null)
  }
  unclonable(): unknown {
    return new WeakMap()
  }
  async hold(until: () => unknown): Promise<void> {
    await until()
  }
  get length(): number {
    return this.lines.length
  }
}

const warnings: Array<{ name: string; message: string }> = []
// Those that are told of here are meant: nobody needs to read them.
process.removeAllListeners('warning')
process.on('warning', ({ name, message }) => warnings.push({ name, message }))
/** The warnings of this thread, once what was called before has said its own. */
export async function warned(): Promise<Array<{ name: string; message: string }>> {
  await new Promise((resolve) => setImmediate(resolve))
  return warnings.splice(0)
}

export const double = (x: number): number => x * 2
