/** A module whose exports are served: what the tests of the object table and of links do on other threads. */
import { Apartment, ApartmentThreaded, disconnect, objectTable, type Remote } from '@flatshare/apartment'
import { peerOf } from '@flatshare/apartment/internal'
import { currentThread } from '@flatshare/core'
import { lockShortly, sharedBlock } from '@flatshare/core/internal'
import { collect, collected, collectionOf } from './collecting.js'

export { collect } from './collecting.js'

@ApartmentThreaded()
export class Counter {
  #n = 0
  next(): number {
    return ++this.#n
  }
  home(): number {
    return currentThread.id
  }
  isItself(x: unknown): boolean {
    return x === this
  }
  exit(): never {
    process.exit(0)
  }
}

const kept: unknown[] = []

export function register(name: string, options?: { weak?: boolean; keep?: boolean }): unknown {
  const counter = new Counter()
  if (options?.keep) kept.push(counter)
  return objectTable.register(name, counter, { weak: options?.weak ?? false })
}

export function registerProxy(name: string, proxy: object): unknown {
  return objectTable.register(name, proxy)
}

export async function nextOf(name: string): Promise<number> {
  return (await objectTable.get<Remote<Counter>>(name)).next()
}

/** Whether the name gives the same object, or proxy, each time. */
export async function sameEachTime(name: string): Promise<boolean> {
  const [a, b] = await Promise.all([objectTable.get(name), objectTable.get(name)])
  return a === b && a === (await objectTable.get(name))
}

/** Whether the name gives an object of this thread's own. */
export async function isOwn(name: string): Promise<boolean> {
  return (await objectTable.get(name)) instanceof Counter
}

export const has = (name: string): boolean => objectTable.has(name)
export const names = (): string[] => objectTable.names()
export const revoke = (registration: { revoke(): unknown }): unknown => registration.revoke()

/** Registers an object that nobody else keeps, weakly; `weakIsGone` says when it is collected. */
export function registerWeak(name: string): void {
  const counter = new Counter()
  collectionOf(counter)
  objectTable.register(name, counter, { weak: true })
}
export async function collectWeak(): Promise<void> {
  while (!collected()) await collect()
}

export async function meetAll(ids: number[]): Promise<number[]> {
  const peers = await Promise.all(ids.map((id) => peerOf(id)))
  return peers.map((peer) => peer.threadId)
}

export async function meet(id: number, timeout: number): Promise<number> {
  return (await peerOf(id, { timeout })).threadId
}

/** Waits, with its event loop running, until `cells[0]` is set; then does what it is told and says so in `cells[1]`. */
export function whenTold(memory: SharedArrayBuffer, name: string): void {
  const cells = new Int32Array(memory)
  const { value } = (Atomics as any).waitAsync(cells, 0, 0) as { value: Promise<string> }
  void value
    .then(() => nextOf(name))
    .then(
      (n) => Atomics.store(cells, 1, n),
      () => Atomics.store(cells, 1, -1),
    )
    .then(() => Atomics.notify(cells, 1))
}

/** Blocks this thread until `cells[0]` is set; says so in `cells[1]`. */
export function block(memory: SharedArrayBuffer): void {
  const cells = new Int32Array(memory)
  Atomics.store(cells, 1, 1)
  Atomics.notify(cells, 1)
  Atomics.wait(cells, 0, 0)
}

/** Once another thread blocks (`block` with the same memory): gets that object, and lets the thread go on. */
export function getMeanwhile(memory: SharedArrayBuffer, name: string): void {
  const cells = new Int32Array(memory)
  const { value } = (Atomics as any).waitAsync(cells, 1, 0) as { value: Promise<string> }
  void value
    .then(() => objectTable.get(name))
    .then(
      () => Atomics.store(cells, 0, 1),
      () => Atomics.store(cells, 0, -1),
    )
    .then(() => Atomics.notify(cells, 0))
}

/** Opens an apartment that no other thread knows, and has it call that object. */
export async function nextOverNested(name: string): Promise<number> {
  const nested = await Apartment.open<{ nextOf: typeof nextOf }>(new URL(import.meta.url), { name: 'nested' })
  try {
    return await nested.remote.nextOf(name)
  } finally {
    await nested.close()
  }
}

/** Ends this thread inside the lock of the object table. */
export function exitInside(): never {
  lockShortly(sharedBlock('objectTable', 1) >> 2)
  process.exit(0)
}

/** A function that calls methods of the object of that name. */
export async function viaTable(name: string): Promise<(member: string) => Promise<unknown>> {
  const object = await objectTable.get<Record<string, () => Promise<unknown>>>(name)
  return (member) => object[member]!()
}

/** The same of one that it is given. */
export const via =
  (object: Record<string, () => Promise<unknown>>) =>
  (member: string): Promise<unknown> =>
    object[member]!()

let held: unknown
export function hold(x: unknown): void {
  held = x
}
export const whatIsHeld = (): unknown => held

/** Keeps what it is given, from whatever thread. */
@ApartmentThreaded()
export class Holder {
  readonly #held: unknown[] = []
  hold(x: unknown): void {
    this.#held.push(x)
  }
  drop(): number {
    return this.#held.splice(0).length
  }
}

export function registerHolder(name: string): void {
  objectTable.register(name, new Holder())
}

/** Gives on what it was given, to a thread that it knows by name only, or by that object. */
export async function passOn(to: string | Remote<Holder>, x: unknown): Promise<void> {
  const holder = typeof to === 'string' ? await objectTable.get<Remote<Holder>>(to) : to
  await holder.hold(x)
}

export const servedForATime = (): string => 'served'
export function disconnectServed(): void {
  disconnect(servedForATime)
}

export const exit = (): never => process.exit(0)
