/** Classes that the tests make on threads that serve another module. */
import { ApartmentThreaded } from '@flatshare/apartment'
import { currentThread } from '@flatshare/core'

@ApartmentThreaded({ name: 'Elsewhere', module: import.meta.url })
export class Lodger {
  constructor(readonly room = 1) {}
  where(): string {
    return `${currentThread.name}: ${this.room}`
  }
}

export class Undecorated {
  where(): string {
    return currentThread.name
  }
}

export const noClass = 5
