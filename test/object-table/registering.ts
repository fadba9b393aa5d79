/** A module whose exports are served: it registers free-threaded objects in the object table. */
import { objectTable } from '@flatshare/apartment'
import { FreeThreaded } from '@flatshare/free-threaded'

export class Account {
  declare balance: number
  deposit(amount: number): number {
    return (this.balance += amount)
  }
}
FreeThreaded({ name: 'Account', shared: { balance: 'f64' } })(Account)

export function register(name: string, options?: { weak?: boolean }): unknown {
  return objectTable.register(name, new Account(), options)
}

export async function deposit(name: string, amount: number): Promise<number> {
  return (await objectTable.get<Account>(name)).deposit(amount)
}

/** Blocks this thread until `cells[0]` is set; says so in `cells[1]`. */
export function block(memory: SharedArrayBuffer): void {
  const cells = new Int32Array(memory)
  Atomics.store(cells, 1, 1)
  Atomics.notify(cells, 1)
  Atomics.wait(cells, 0, 0)
}
