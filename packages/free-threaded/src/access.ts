import type { Group } from './shape.js'

/** What a member, or code that names itself, needs of an object: a group's lock. */
export interface Access {
  /** As errors name it: `Account.deposit`, `Account.balance =`. */
  readonly name: string
  readonly what: () => string
  readonly group: string
  readonly lockOffset: number
}

export function makeAccess(name: string, { name: group, lockOffset }: Group): Access {
  return { name, what: () => name, group, lockOffset }
}
