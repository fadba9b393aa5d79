/** Objects whose calls are given up: some look at their signal, some listen to it, some do neither. */
import { ApartmentThreaded, blocking, callWith, currentCall, type Remote } from '@flatshare/apartment'
import { Cells } from './cells.js'

/** What a thread says that is in no event loop. */
export const Cell = { begun: 0, ended: 1, timedOut: 2 } as const

export const newCells = (inMemory = true): Cells => Cells.of(3, inMemory)

/** Makes a call with a deadline, later and later until one of them has begun before it; gives its error. */
export async function untilBegun(
  call: (timeout: number, cells: Cells) => unknown,
  inMemory = true,
): Promise<{ readonly error: any; readonly cells: Cells }> {
  for (let timeout = 20; ; timeout *= 2) {
    const cells = newCells(inMemory)
    try {
      await call(timeout, cells)
    } catch (error) {
      if (cells.load(Cell.begun) !== 0) return { error, cells }
    }
  }
}

@ApartmentThreaded()
export class Busy {
  #seen: unknown
  #heard: unknown

  /** Runs, without ever awaiting, until its caller wants it no more. */
  spin(cells: Cells): string {
    const { signal } = currentCall()!
    cells.store(Cell.begun, 1)
    while (!signal.aborted) cells.load(Cell.timedOut)
    this.#seen = signal.reason
    cells.store(Cell.timedOut, (signal.reason as Error).name === 'TimeoutError' ? 1 : 2)
    cells.store(Cell.ended, 1)
    return 'ended'
  }

  /** The same by `throwIfAborted`. */
  spinUntilThrown(cells: Cells): void {
    const { signal } = currentCall()!
    cells.store(Cell.begun, 1)
    try {
      for (;;) signal.throwIfAborted()
    } catch (error) {
      this.#seen = error
      cells.store(Cell.ended, 1)
      throw error
    }
  }

  /** Looks at nothing. */
  forever(cells: Cells): void {
    for (;;) cells.store(Cell.begun, 1)
  }

  /** Sees by a look that it was given up, and only then goes back to where events can come. */
  async eventAfter(cells: Cells): Promise<boolean[]> {
    const { signal } = currentCall()!
    const fired = new Promise<Event>((resolve) => signal.addEventListener('abort', resolve, { once: true }))
    const any = AbortSignal.any([signal])
    cells.store(Cell.begun, 1)
    while (!signal.aborted) cells.load(Cell.timedOut)
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
    cells.store(Cell.ended, 1)
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
  async spin(busy: Remote<Busy>, cells: Cells): Promise<string> {
    return busy.spin(cells)
  }
  async listen(busy: Remote<Busy>, begun: () => unknown): Promise<void> {
    return busy.listen(begun)
  }
  /** Blocks on one that listens, with this call's own signal. */
  blockOnListener(busy: Remote<Busy>, begun: () => unknown): void {
    blocking(callWith(busy, { signal: currentCall()!.signal })).listen(begun)
  }
  /** Blocks there, with this call's own signal. */
  block(busy: Remote<Busy>, cells: Cells): string {
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
