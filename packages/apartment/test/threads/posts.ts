/** By which kind of link calls go, as the messages tell that go by ports. */
import { MessagePort } from 'node:worker_threads'
import { Apartment, type LinkKind, type Remote } from '@flatshare/apartment'
import { Counter } from './loaded.js'

export { Counter }

let count = 0
const original = MessagePort.prototype.postMessage
MessagePort.prototype.postMessage = function (this: MessagePort, ...args: Parameters<typeof original>) {
  count++
  original.apply(this, args)
} as typeof original

/** This thread's, since it began. */
export function posts(): number {
  return count
}

const CALLS = 50

/** By its number of messages for so many calls. A reference that is let go of meanwhile may cost one, too. */
const kindOf = (posted: number): LinkKind => (posted < CALLS / 5 ? 'shared' : 'port')

/**
 * By which kind of link so many calls go, once that is as it shall be, and, where that can be asked, by which their
 * answers come.
 */
export async function kindsOf(counter: Remote<Counter>, there?: { posts(): Promise<number> }): Promise<LinkKind[]> {
  for (let i = 0; i < CALLS; i++) await counter.hit()
  const [here, before] = [count, await there?.posts()]
  for (let i = 0; i < CALLS; i++) await counter.hit()
  const kind = kindOf(count - here)
  return there ? [kind, kindOf((await there.posts()) - before!)] : [kind]
}

/** For the objects of an apartment that this thread opens. */
export async function kindsOfNested(): Promise<LinkKind[]> {
  await using nested = await Apartment.open<{ Counter: typeof Counter }>(new URL(import.meta.url))
  return await kindsOf(await nested.create('Counter'))
}
