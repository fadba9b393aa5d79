/** Classes that both processes know. */
import { ApartmentThreaded, FreeThreaded } from 'flatshare'

export class Account {
  declare balance: number
  deposit(amount: number): number {
    this.balance = (this.balance ?? 0) + amount
    return this.balance
  }
}
FreeThreaded({ name: 'Account', shared: { balance: 'f64' } })(Account)

/** Objects of this one don't leave their process. */
export class Ledger {
  declare entries: number
  post(): number {
    return ++this.entries
  }
}
FreeThreaded({ name: 'Ledger', shared: { entries: 'f64' }, crossing: 'memory-only' })(Ledger)

export class Counter {
  count = 0
  add(n = 1): number {
    this.count += n
    return this.count
  }
}
ApartmentThreaded({ name: 'Counter' })(Counter)
