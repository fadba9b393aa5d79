import { FreeThreaded, Guarded, Reads, Shared } from '@flatshare/free-threaded'

/** `high` is `low` plus 100 whenever nobody is inside, and `twice` is twice `low`. */
@FreeThreaded()
export class Range {
  @Shared('f64') low = 0
  @Shared('f64') high = 100
  @Shared('i64') twice = 0n
  @Shared('bool') isOdd = false
  @Shared(['open', 'shut']) state: 'open' | 'shut' = 'open'
  @Shared('string') name = ''
  @Guarded('stats') @Shared('u32') hits = 0
  @Guarded('stats') @Shared('string') last = ''

  move(by: number): void {
    this.moveAround(by, () => {})
  }

  /** Runs `during` in the middle of the change. */
  moveAround(by: number, during: () => void): void {
    this.low += by
    this.twice = BigInt(this.low) * 2n
    this.isOdd = this.low % 2 !== 0
    during()
    this.state = this.isOdd ? 'shut' : 'open'
    this.name = `from ${this.low}`
    this.high += by
  }

  async moveAfter(by: number, pause: Promise<unknown>): Promise<void> {
    this.low += by
    await pause
    this.twice = BigInt(this.low) * 2n
    this.isOdd = this.low % 2 !== 0
    this.state = this.isOdd ? 'shut' : 'open'
    this.high += by
  }

  get middle(): number {
    return this.low + this.width() / 2
  }

  @Reads() width(): number {
    return this.high - this.low
  }

  @Reads() widthAround(during: () => void): number {
    const { low } = this
    during()
    return this.high - low
  }

  @Reads() async widthAfter(pause: Promise<unknown>): Promise<number> {
    const { low } = this
    await pause
    return this.high - low
  }

  @Reads() async runsOn(start: () => void): Promise<void> {
    start()
  }

  @Reads() async moveInside(pause: Promise<unknown>): Promise<void> {
    await pause
    this.move(1)
  }

  @Reads() describe(): string {
    return `${this.name}: ${this.width()}`
  }

  @Reads() set wrongly(low: number) {
    this.low = low
    this.high = low + 100
  }

  @Reads() get top(): number {
    return this.high
  }

  @Reads() writes(): void {
    this.low = 1
  }

  @Reads() names(): void {
    this.name = 'x'
  }

  @Reads() moves(): void {
    this.move(1)
  }

  /** Refuses what it can only see while somebody is inside. */
  @Reads({ optimistic: true }) gap(): number {
    const { low, high, twice, isOdd, state } = this
    if (high - low !== 100) throw new RangeError(`From ${low} to ${high}.`)
    if (Number(twice) !== 2 * low) throw new RangeError(`Twice ${low} is ${twice}.`)
    if (isOdd !== (low % 2 !== 0) || state !== (isOdd ? 'shut' : 'open')) throw new RangeError(`${low} is ${state}.`)
    return high - low
  }

  @Reads({ optimistic: true }) get bottom(): number {
    return this.gap() > 0 ? this.low : Number.NaN
  }

  @Reads({ optimistic: true }) writesOptimistically(): void {
    this.high = 1
  }

  @Reads({ optimistic: true }) movesOptimistically(): void {
    this.move(1)
  }

  @Reads({ optimistic: true }) fails(): void {
    throw new RangeError('on purpose')
  }

  @Guarded('stats') hit(): number {
    return ++this.hits
  }

  @Guarded('stats') hitAround(during: () => void): void {
    this.hits++
    during()
    this.last = String(this.hits)
  }

  /** Of the main group: it writes to the other one. */
  resetHits(): void {
    this.hits = 0
    this.last = ''
  }
}

/** A class that mends itself. */
@FreeThreaded({
  onAbandoned(pair: Pair) {
    if (pair.unwilling) throw new RangeError('not now')
    pair.mended++
    pair.second = pair.first
    pair.check()
  },
})
export class Pair {
  @Shared('i32') first = 0
  @Shared('i32') second = 0
  @Shared('i32') mended = 0
  @Shared('bool') unwilling = false

  set(value: number, during = () => {}): void {
    this.first = value
    during()
    this.second = value
  }

  async setAfter(value: number, pause: Promise<unknown>): Promise<void> {
    this.first = value
    await pause
    this.second = value
  }

  check(): number {
    if (this.first !== this.second) throw new Error(`${this.first} is not ${this.second}.`)
    return this.first
  }

  @Reads() read(): number {
    return this.first - this.second
  }

  @Reads({ optimistic: true }) readOptimistically(): number {
    return this.first - this.second
  }
}
