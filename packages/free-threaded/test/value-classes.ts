import { array, enumeration, FreeThreaded, locked, ref, Shared, type SharedArray } from '@flatshare/free-threaded'
import { Barrier, Condition, Latch, Mutex, Once, RwLock, Semaphore, Signal } from '@flatshare/sync'

export enum Color {
  red = 1,
  green,
  blue = 700,
}

export enum Size {
  small = 'S',
  large = 'L',
}

@FreeThreaded({ name: 'Values' })
export class Values {
  @Shared('string') text = ''
  @Shared('bytes') bytes: Uint8Array = new Uint8Array(0)
  @Shared('json') json: any
  @Shared('i32') number = 0

  both(): string {
    return this.text + this.text
  }

  setTwice(first: string, second: string): string {
    this.text = first
    const before = this.text
    this.text = second
    return before + this.text
  }

  setThenThrow(text: string, json: unknown): void {
    this.text = text
    this.json = json
    throw new RangeError('on purpose')
  }
}

@FreeThreaded({ name: 'Choices' })
export class Choices {
  @Shared(['open', 'closed', 'ajar']) door: 'open' | 'closed' | 'ajar' = 'closed'
  @Shared(Color) color = Color.green
  @Shared(enumeration(Size)) size!: Size
  @Shared(enumeration('a|b', 'a', '"b"', '7')) odd!: 'a|b' | 'a' | '"b"' | '7'
}

@FreeThreaded({ name: 'Arrays' })
export class Arrays {
  @Shared('u32[24]') counts!: SharedArray<number>
  @Shared('i8[3]') small!: SharedArray<number>
  @Shared('i64[3]') wide!: SharedArray<bigint>
  @Shared(array('f64', 1000)) large!: SharedArray<number>
  @Shared('bool') last = true

  sum(): number {
    let sum = 0
    for (let i = 0; i < this.counts.length; i++) sum += this.counts.get(i)
    return sum
  }

  sumOfView(): number {
    return (this.counts.view() as Uint32Array).reduce((sum, n) => sum + n, 0)
  }

  /** Keeps the sum. */
  move(from: number, to: number): void {
    const { counts } = this
    counts[from]!--
    counts.set(to, counts.get(to) + 1)
  }

  bump(times: number): void {
    for (let i = 0; i < times; i++) this.large[0]! += 1
  }
}

@FreeThreaded({ name: 'Node' })
export class Node {
  @Shared(ref(() => Node)) next: Node | null = null
  @Shared('string') name: string

  constructor(name: string, next: Node | null = null) {
    this.name = name
    this.next = next
  }

  names(): string {
    return this.next ? `${this.name} ${this.next.names()}` : this.name
  }
}

@FreeThreaded({ name: 'SpecialNode' })
export class SpecialNode extends Node {
  @Shared('i32') rank = 1
}

@FreeThreaded({ name: 'Holder' })
export class Holder {
  @Shared(Node) node: Node | null = null
  @Shared(ref(() => Holder)) self: Holder | null = null
  @Shared(Mutex) mutex: Mutex | null = new Mutex({ name: 'held' })
  @Shared(RwLock) rwlock: RwLock | null = null
  @Shared(Semaphore) semaphore: Semaphore | null = null
  @Shared(Condition) condition: Condition | null = null
  @Shared(Signal) signal: Signal | null = null
  @Shared(Barrier) barrier: Barrier | null = null
  @Shared(Latch) latch: Latch | null = null
  @Shared(Once) once: Once<any> | null = null

  push(name: string): void {
    this.node = new Node(name, this.node)
  }

  list(): string {
    return this.node ? this.node.names() : ''
  }
}

/** An object whose state has moved to shared memory. */
export function adopted<T extends object>(object: T): T {
  return locked(object, (same) => same)
}
