/** What the contract suite calls beyond the store: everything that crosses, blocks and is given up. */
import {
  ApartmentThreaded,
  blocking,
  callWith,
  currentCall,
  Interleaved,
  objectTable,
  type Remote,
  transfer,
} from '@flatshare/apartment'
import type { Cells } from './cells.js'
import './cells.js'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

@ApartmentThreaded()
export class Carrier {
  ended = 'never begun'
  readonly #collected: unknown[] = []

  @Interleaved() async echo<T>(value: T): Promise<T> {
    return value
  }

  // ── iterables and streams ───────────────────────────────────────────────────────────────────

  async *count(to = Number.POSITIVE_INFINITY): AsyncGenerator<number, string> {
    this.ended = 'running'
    try {
      for (let i = 1; i <= to; i++) yield i
      return 'all'
    } finally {
      this.ended = 'ended'
    }
  }

  async *failing(): AsyncGenerator<number> {
    yield 1
    throw new RangeError('no more')
  }

  *letters(): Generator<string> {
    yield* 'abc'
  }

  howItEnded(): string {
    return this.ended
  }

  async sum(values: AsyncIterable<number>, most = Number.POSITIVE_INFINITY): Promise<number> {
    let [sum, count] = [0, 0]
    for await (const value of values) {
      sum += value
      if (++count === most) break
    }
    return sum
  }

  readable(to: number): ReadableStream<number> {
    let i = 0
    return new ReadableStream({
      pull: (controller) => (i < to ? controller.enqueue(++i) : controller.close()),
      cancel: (reason) => void (this.ended = `cancelled: ${reason}`),
    })
  }

  writable(): WritableStream<unknown> {
    return new WritableStream({ write: (chunk) => void this.#collected.push(chunk) })
  }

  collected(): unknown[] {
    return this.#collected
  }

  // ── transfers ───────────────────────────────────────────────────────────────────────────────

  lengthOf(value: { deep: [ArrayBuffer] }): number {
    return value.deep[0].byteLength
  }

  made(bytes: number): { deep: Uint8Array } {
    const made = new Uint8Array(bytes).fill(1)
    return { deep: transfer(made, [made.buffer]) }
  }

  // ── calls given up ──────────────────────────────────────────────────────────────────────────

  /** Never gives its event loop a turn. */
  spin(): void {
    const { signal } = currentCall()!
    while (!signal.aborted);
    this.ended = (signal.reason as DOMException).name
  }

  note(what: string): void {
    this.#collected.push(what)
  }

  // ── blocking ────────────────────────────────────────────────────────────────────────────────

  /** Blocks on what it is given, which may come back here. */
  blockOn(callback: () => unknown): unknown {
    return blocking(callback)()
  }

  /** Blocks on the other once both are here. */
  meetAndBlock(cells: Cells, own: number, other: Remote<Carrier>, timeout?: number): string {
    cells.store(own, 1)
    cells.wait(1 - own)
    return blocking(timeout === undefined ? other : callWith(other, { timeout })).ping()
  }

  ping(): string {
    return 'pong'
  }

  get name(): string {
    return 'carrier'
  }

  // ── names ───────────────────────────────────────────────────────────────────────────────────

  register(name: string): void {
    objectTable.register(name, this)
  }

  async find(name: string): Promise<unknown> {
    return objectTable.get(name)
  }

  // ── the end ─────────────────────────────────────────────────────────────────────────────────

  async exitAfter(turns: number): Promise<never> {
    for (let i = 0; i < turns; i++) await turn()
    process.exit(1)
  }
}
