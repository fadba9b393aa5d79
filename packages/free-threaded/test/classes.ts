import { FreeThreaded, Shared, Unlocked } from '@flatshare/free-threaded'

@FreeThreaded()
export class Account {
  @Shared('f64') balance = 0
  @Shared('i32') calls = 0

  deposit(amount: number): number {
    this.balance += amount
    this.calls++
    return this.balance
  }

  /** Leaves the lock with a thread that `during` ends or blocks. */
  depositAround(amount: number, during: () => void): void {
    this.balance += amount
    during()
    this.calls++
  }

  async depositAfter(amount: number, pause: Promise<unknown>): Promise<number> {
    const before = this.balance
    await pause
    this.balance = before + amount
    return this.deposit(0)
  }

  async pair(pause: () => Promise<unknown>): Promise<number[]> {
    return Promise.all([this.depositAfter(1, pause()), this.depositAfter(1, pause())])
  }

  async fails(pause: Promise<unknown>): Promise<never> {
    await pause
    throw new RangeError('on purpose')
  }

  async forgets(pending: Promise<unknown>): Promise<void> {
    void this.depositAfter(1, pending)
  }

  startsFrom(pause: Promise<unknown>): { promise: Promise<number> } {
    const started = { promise: this.depositAfter(1, pause) }
    this.balance += 10
    return started
  }

  get doubled(): number {
    return this.balance * 2
  }

  @Unlocked() peek(): number {
    return this.balance
  }
}

@FreeThreaded({ name: 'All types' })
export class AllTypes {
  @Shared('i8') i8 = 0
  @Shared('u8') u8 = 0
  @Shared('i16') i16 = 0
  @Shared('u16') u16 = 0
  @Shared('i32') i32 = 0
  @Shared('u32') u32 = 0
  @Shared('i64') i64 = 0n
  @Shared('u64') u64 = 0n
  @Shared('f32') f32 = 0
  @Shared('f64') f64 = 0
  @Shared('bool') bool = false
}
