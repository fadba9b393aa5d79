import { FreeThreaded, Shared } from '@flatshare/free-threaded'

@FreeThreaded()
export class Account {
  @Shared('f64') balance = 0

  deposit(amount: number): void {
    this.balance += amount
  }
}
