// What a field of a free-threaded object costs on one thread, beside an element of a typed array.
import { FreeThreaded, Shared } from '@flatshare/free-threaded'
import type { Benchmark } from './benchmark.js'
import { keep, timed } from './timed.js'

@FreeThreaded()
class Account {
  @Shared('f64') balance = 0
  @Shared('i32') calls = 0
  @Shared('bool') isOpen = true

  addAll(times: number): void {
    for (let i = 0; i < times; i++) this.balance += 1
  }

  readAll(times: number): number {
    let sum = 0
    for (let i = 0; i < times; i++) sum += this.balance
    return sum
  }
}

const doubles = new Float64Array(new SharedArrayBuffer(64))
const TIMES = 1_000_000
const account = new Account()

function addToElement(times: number): void {
  for (let i = 0; i < times; i++) doubles[3]! += 1
}

function readElement(times: number): void {
  let sum = 0
  for (let i = 0; i < times; i++) sum += doubles[3]!
  keep(sum)
}

function addToField(times: number): void {
  account.addAll(times)
}

function readField(times: number): void {
  keep(account.readAll(times))
}

function readFromOutside(times: number): void {
  let sum = 0
  for (let i = 0; i < times; i++) sum += account.balance
  keep(sum)
}

function readIntegerFromOutside(times: number): void {
  let sum = 0
  for (let i = 0; i < times; i++) sum += account.calls
  keep(sum)
}

function writeFromOutside(times: number): void {
  for (let i = 0; i < times; i++) account.balance = i
}

export default {
  title: 'A field of a free-threaded object: one thread, uncontended',
  rows: [
    { name: 'an element of a typed array, += 1', run: () => timed(TIMES, addToElement) },
    { name: 'a field inside a method, += 1', run: () => timed(TIMES, addToField) },
    { name: 'an element of a typed array, read', run: () => timed(TIMES, readElement) },
    { name: 'a field inside a method, read', run: () => timed(TIMES, readField) },
    { name: 'a field read from outside (f64)', run: () => timed(TIMES, readFromOutside) },
    { name: 'a field read from outside (i32)', run: () => timed(TIMES, readIntegerFromOutside) },
    { name: 'a field written from outside (f64)', run: () => timed(TIMES, writeFromOutside) },
  ],
} satisfies Benchmark
