import { setTimeout as pass } from 'node:timers/promises'
import { Apartment } from '@flatshare/apartment'
import { childProcess } from '@flatshare/process'
import { expect, it } from 'vitest'
import { processorTime } from './children/idle.js'

type Idle = typeof import('./children/idle.js')

/** Milliseconds in which nothing is said. A loop that goes on turning takes all of them, and nothing else a tenth. */
const QUIET = 1000

it('takes no processor time where nothing is said, at neither end, however much was', async () => {
  await using apartment = await Apartment.open<Idle>(childProcess(new URL('./children/idle.js', import.meta.url)))
  const { remote } = apartment
  for (let i = 0; i < 2000; i++) await remote.echo(i)
  await remote.echo(new Uint8Array(1 << 20))
  const before = [processorTime(), await remote.processorTime()] as const
  await pass(QUIET)
  expect((await remote.processorTime()) - before[1]).toBeLessThan(QUIET / 2)
  expect(processorTime() - before[0]).toBeLessThan(QUIET / 2)
})

it('takes no processor time while an answer is long in coming, at neither end', async () => {
  await using apartment = await Apartment.open<Idle>(childProcess(new URL('./children/idle.js', import.meta.url)))
  const { remote } = apartment
  for (let i = 0; i < 2000; i++) await remote.echo(i)
  const before = [processorTime(), await remote.processorTime()] as const
  await remote.later(QUIET)
  expect((await remote.processorTime()) - before[1]).toBeLessThan(QUIET / 2)
  expect(processorTime() - before[0]).toBeLessThan(QUIET / 2)
})
