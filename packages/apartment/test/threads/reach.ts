/** A module whose exports are served: classes with every kind of member, some of which others may not reach. */
import { inspect } from 'node:util'
import { ApartmentThreaded, Hidden, Interleaved } from '@flatshare/apartment'
import { byReference } from '@flatshare/core'

export let touched = 0

class Parent {
  @Hidden() get hiddenInParent(): string {
    return 'hidden'
  }
  get shown(): string {
    return 'parent'
  }
  @Interleaved() async interleavedInParent(): Promise<string> {
    return 'at once'
  }
}

@ApartmentThreaded({ name: 'Members' })
export class Members extends Parent {
  static created = 0
  static make(): Members {
    return new Members()
  }
  field = 'a field'
  #title = ''
  #open!: () => void
  readonly #opened = new Promise<void>((resolve) => {
    this.#open = resolve
  })

  constructor() {
    super()
    Members.created++
  }

  get title(): string {
    return this.#title
  }
  set title(title: string) {
    if (!title) throw new RangeError('A title is not empty')
    this.#title = title
  }

  set onlySet(value: unknown) {
    this.#title = String(value)
  }

  @Hidden() get hidden(): string {
    return 'hidden'
  }
  set hidden(value: string) {
    this.#title = value
  }

  override get hiddenInParent(): string {
    return 'hidden here too'
  }

  get touches(): number {
    return ++touched
  }

  @Interleaved() get busyTitle(): string {
    return this.#title
  }

  /** Holds its turn until `open`. */
  async busy(): Promise<string> {
    await this.#opened
    return 'done'
  }

  @Interleaved() open(): void {
    this.#open()
  }

  toJSON(): string {
    touched++
    return 'json'
  }
  override toString(): string {
    touched++
    return 'text'
  }
  override valueOf(): number {
    return ++touched
  }
  [Symbol.toPrimitive](): string {
    touched++
    return 'primitive'
  }
  [Symbol('own')](): string {
    return 'own'
  }

  async *counting(to: number): AsyncGenerator<number> {
    for (let i = 1; i <= to; i++) yield i
  }
  *sizes(): Generator<number> {
    yield* [3, 4]
  }
  list(): Iterable<string> {
    return ['x', 'y']
  }
  delegated(): AsyncGenerator<number> {
    return this.counting(2)
  }
  async *failing(): AsyncGenerator<number> {
    yield 1
    throw new RangeError('in the middle')
  }
  *refusing(x: number): Generator<number> {
    yield x
  }
  number(): number {
    return 7
  }

  *[Symbol.iterator](): Generator<string> {
    yield* ['one', 'two']
  }
  @Hidden() async [Symbol.asyncDispose](): Promise<void> {}
}

@ApartmentThreaded()
export class Closable {
  closed = 0
  async [Symbol.asyncDispose](): Promise<void> {
    this.closed++
  }
  isClosed(): number {
    return this.closed
  }
}

/** Its accessor can be set; its data can't. */
export const settings = byReference({
  theme: 'dark',
  get size(): number {
    return touched
  },
  set size(value: number) {
    touched = value
  },
})

export const touch = (): number => touched
export const live = (): void => {
  touched = 40
}

let kept: unknown
export const keep = (x: unknown): void => {
  kept = x
}
export const shownKept = (): string => inspect(kept)
