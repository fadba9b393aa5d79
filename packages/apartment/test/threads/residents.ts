/** Uses its own apartment, and the main thread's. */
import { Apartment, type Remote, serve } from '@flatshare/apartment'
import { currentThread } from '@flatshare/core'

export class Resident {
  #running = 0
  most = 0
  async stay(): Promise<number> {
    this.most = Math.max(this.most, ++this.#running)
    await new Promise((resolve) => setImmediate(resolve))
    this.#running--
    return this.most
  }
}

export const name = (): string => Apartment.current.name
export const isMain = (): boolean => Apartment.main === Apartment.current

/** A resident of this thread, made and used here by its proxy. */
export async function live(): Promise<[number[], Remote<Resident>]> {
  const resident = await Apartment.current.create(Resident)
  const stays = await Promise.all([resident.stay(), resident.stay(), resident.stay()])
  return [stays, resident as never]
}

/** Calls what the main thread serves by name. */
export const ask = async (how: string, ...args: unknown[]): Promise<unknown> =>
  (Apartment.main.remote as any)[how](...args)
export const get = async (what: string): Promise<unknown> => (Apartment.main.remote as any)[what]
export const made = async (Class: string, ...args: unknown[]): Promise<unknown> => {
  const object: any = await Apartment.main.create(Class as never, ...(args as never[]))
  return [await object.hello(), String(object)]
}
export const mainThread = (): [string, number] => [Apartment.main.name, Apartment.main.threadId]
export const closing = async (): Promise<string[]> => {
  const why = (error: unknown) => `${(error as Error).name}: ${(error as Error).message}`
  return [await Apartment.main.close().then(String, why), await Apartment.main.terminate().then(String, why)]
}
/** Opens an apartment and asks it to ask the main thread. */
export async function askFromInside(how: string, ...args: unknown[]): Promise<unknown> {
  await using inner = await Apartment.open<{ ask: typeof ask }>(new URL(import.meta.url), { name: 'deep' })
  return await inner.remote.ask(how, ...args)
}
export const thread = (): string => currentThread.name

serve({ ask })

/** Waits until the first cell is set, blocking; then calls the object of a third thread, and sets the second cell. */
export async function callWhenTold(other: Remote<Resident>, cells: Int32Array): Promise<number> {
  Atomics.wait(cells, 0, 0)
  const most = await other.stay()
  Atomics.store(cells, 1, 1)
  Atomics.notify(cells, 1)
  return most
}
