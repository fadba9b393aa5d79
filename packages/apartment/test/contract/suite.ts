/** Everything that a link between two threads must carry and survive, whatever it is made of. */
import { Apartment, type LinkKind } from '@flatshare/apartment'
import { describe } from 'vitest'
import { attached } from './attached.js'
import { blockedThreads } from './blocked-threads.js'
import { blockingCalls } from './blocking.js'
import { calls } from './calls.js'
import { crossing } from './crossing.js'
import { deadlocks } from './deadlocks.js'
import { disconnecting } from './disconnecting.js'
import { dropped } from './dropped.js'
import { encoding } from './encoding.js'
import { ends } from './ends.js'
import { eventLoop } from './event-loop.js'
import { floodsKilled } from './floods-killed.js'
import { givenUp } from './given-up.js'
import { givenUpIterations } from './given-up-iterations.js'
import { idle } from './idle.js'
import { introductions } from './introductions.js'
import { iterables } from './iterables.js'
import { madeAndDropped } from './made-and-dropped.js'
import { mainThread } from './main-thread.js'
import { marshaling } from './marshal.js'
import { names } from './names.js'
import { objectTableTests } from './object-table.js'
import { oddReplies } from './odd-replies.js'
import { oneWay } from './one-way.js'
import type { Opener } from './opener.js'
import { order } from './order.js'
import { passedOn } from './passed-on.js'
import { pressure } from './pressure.js'
import { proxies } from './proxies.js'
import { reachable } from './reachable.js'
import { references } from './references.js'
import { serial } from './serial.js'
import { served } from './served.js'
import { settling } from './settling.js'
import { sizes } from './sizes.js'
import { streams } from './streams.js'
import { tables } from './tables.js'
import { terminated } from './terminated.js'
import { waysToDie } from './ways-to-die.js'
import { whatCrosses } from './what-crosses.js'
import { wherePeersBreak } from './where-peers-break.js'

/** What opens apartments over a kind of link. */
export const openerOver =
  (link: LinkKind): Opener =>
  (module, options) =>
    Apartment.open(module, { ...options, link })

/** What it is called in the tests' names. */
const nameOf: Record<LinkKind, string> = { shared: 'shared memory', port: 'message ports' }

/** One part of the suite, over one kind of link. */
export function describeOver(link: LinkKind, tests: (open: Opener) => void): void {
  describe(`over ${nameOf[link]}`, () => tests(openerOver(link)))
}

/** Calls and what crosses with them. */
export function describeCalls(link: LinkKind): void {
  describeOver(link, (open) => {
    describe('calls', () => calls(open))
    describe('turns', () => serial(open))
    describe('ends of calls', () => settling(open))
    describe('what crosses', () => crossing(open))
    describe('what crosses: copies, moves, refusals', () => whatCrosses(open))
    describe('packets', () => marshaling(open))
    describe('iterables', () => iterables(open))
    describe('streams', () => streams(open))
    describe('blocking calls', () => blockingCalls(open))
    describe('threads that block', () => blockedThreads(open))
    describe('deadlocks', () => deadlocks(open))
    describe('proxies', () => proxies(open))
    describe('what is reached', () => reachable(open))
    describe('what is served', () => served(link))
    describe('one way', () => oneWay(open))
    describe('odd replies', () => oddReplies(open))
  })
}

/** Threads that meet, let go of each other, and end. */
export function describeThreads(link: LinkKind): void {
  describeOver(link, (open) => {
    describe('attached', () => attached(link))
    describe('the main thread', () => mainThread(open, link))
    describe('introductions', () => introductions(open))
    describe('names', () => names(open, link))
    describe('the object table', () => objectTableTests(open))
    describe('lifetime', () => references(open))
    describe('references passed on', () => passedOn(open))
    describe('dropped', () => dropped(open))
    describe('disconnected', () => disconnecting(open))
    describe('ends of threads', () => ends(open))
    describe('given up', () => givenUp(open))
    describe('iterations given up', () => givenUpIterations(open))
    describe('terminated', () => terminated(open))
    describe('ways to die', () => waysToDie(open))
    describe('where peers break', () => wherePeersBreak(open))
  })
}

/** What a link promises of order and of values, however large and odd. */
export function describeValues(link: LinkKind): void {
  describeOver(link, (open) => {
    describe('order', () => order(open))
    describe('sizes', () => sizes(open))
    describe('values that run code', () => encoding(open))
    describe('tables', () => tables(open))
  })
}

/** What it promises of memory, turns and time, however much goes over it. */
export function describeLoad(link: LinkKind): void {
  describeOver(link, (open) => {
    describe('back pressure', () => pressure(open, link))
    describe('the event loop', () => eventLoop(open, link))
    describe('memory', () => madeAndDropped(open, link))
    describe('floods and ends', () => floodsKilled(open))
    describe('idle', () => idle(link))
  })
}
