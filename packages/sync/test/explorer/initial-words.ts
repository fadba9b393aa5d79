import type { Mutation } from './explore.js'

/** Words of shared memory by address. */
export type Words = Readonly<Record<number, number>>

/** The modelled memory is zero at first; over this, some words have another first value. */
export function beginWith(first: Words): Mutation {
  const flip = (address: number, value: number) => value ^ (first[address] ?? 0)
  return (memory) => ({
    ...memory,
    load: (address) => flip(address, memory.load(address)),
    store: (address, value) => memory.store(address, flip(address, value)),
    get: (address) => flip(address, memory.get(address)),
    set: (address, value) => memory.set(address, flip(address, value)),
    compareExchange: (address, expected, value) =>
      flip(address, memory.compareExchange(address, flip(address, expected), flip(address, value))),
  })
}
