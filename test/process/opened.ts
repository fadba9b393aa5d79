/** The processes that a test file opens, and closes at its end. */
import { Apartment } from 'flatshare'
import { childProcess } from 'flatshare/process'
import { afterAll } from 'vitest'

export type Served = typeof import('./served.js')

/** For a thread of this process. */
export const module = new URL('./served.js', import.meta.url)
const opened: Apartment[] = []
afterAll(() => Promise.all(opened.map((apartment) => apartment.close())))

/** An apartment that is closed at the end. */
export function closedLater<A extends Apartment>(apartment: A): A {
  opened.push(apartment)
  return apartment
}

export const openProcess = async (name: string): Promise<Apartment<Served>> =>
  closedLater(await Apartment.open<Served>(childProcess(module), { name }))
