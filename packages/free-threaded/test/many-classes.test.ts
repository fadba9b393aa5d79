import { FreeThreaded } from '@flatshare/free-threaded'
import { expect, test } from 'vitest'

interface Counter {
  count: number
  add(amount: number): void
}

function counterClass(name: string): new () => Counter {
  class Counting {
    count = 0
    add(amount: number): void {
      this.count += amount
    }
  }
  FreeThreaded({ name, shared: { count: 'f64' } })(Counting)
  return Counting
}

// The first sixteen classes read their objects' addresses by code of their own; the others share it.
test('forty classes, each with what is its own', () => {
  const classes = Array.from({ length: 40 }, (_, i) => counterClass(`Counting${i}`))
  const counters = classes.map((Class) => [new Class(), new Class()] as const)
  for (let round = 0; round < 500; round++) {
    counters.forEach(([one, other], i) => {
      one.add(i)
      other.add(0.5)
    })
  }
  expect(counters.map(([one, other]) => [one.count, other.count])).toEqual(classes.map((_, i) => [i * 500, 250]))
})

test('a method of one class refuses an object of none', () => {
  const counter = new (counterClass('Refusing'))()
  expect(() => counter.add.call({} as Counter, 1)).toThrow(/no instance of it/)
})
