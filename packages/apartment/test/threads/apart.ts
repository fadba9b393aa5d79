/** Tells what a thread knows of what it is given, where it shares no memory with who gave it. */
import { Apartment, blocking, homeOf, objectTable, type Remote } from '@flatshare/apartment'
import { currentThread, modelOf, requireModel } from '@flatshare/core'
import type { Mutex } from '@flatshare/sync'

export const model = (x: object): string | undefined => modelOf(x)
export const home = (x: object): unknown => homeOf(x)
export const require = (x: object): void => void requireModel(x, 'free')
export const ownHome = (): unknown => homeOf({})

/** Whether it is locked inside of its own `runExclusive`, and what that gives. */
export async function inside(mutex: Remote<Mutex>): Promise<unknown[]> {
  return mutex.runExclusive(async () => [await mutex.isLocked(), 'done']) as Promise<unknown[]>
}
export const isLocked = (mutex: Remote<Mutex>): boolean => blocking(mutex).isLocked()

const own = { whose: () => currentThread.name }
export const register = (name: string): void => void objectTable.register(name, own)
export const names = (): string[] => objectTable.names()
export const find = async (name: string): Promise<unknown> => objectTable.get(name)
export const main = (): unknown[] => [Apartment.main === Apartment.current, Apartment.main.name]
