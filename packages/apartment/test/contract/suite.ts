/** Everything that a link between two threads must carry and survive, whatever it is made of. */
import type { LinkKind } from '@flatshare/apartment'
import { afterAll, describe } from 'vitest'
import { removeCells } from '../threads/cells.js'
import { apart } from './apart.js'
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
import { firstCalls } from './first-calls.js'
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
import { type Opener, threadsOver } from './opener.js'
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

/** One part of the suite, over one kind of link. */
export function describeOver(over: LinkKind | Opener, tests: (open: Opener) => void): void {
  const open = typeof over === 'string' ? threadsOver(over) : over
  describe(`over ${open.over}`, () => {
    afterAll(removeCells)
    tests(open)
  })
}

/** Calls and what crosses with them. */
export function describeCalls(over: LinkKind | Opener): void {
  describeOver(over, (open) => {
    describe('calls', () => calls(open))
    describe('turns', () => serial(open))
    describe('ends of calls', () => settling(open))
    describe('what crosses', () => crossing(open))
    describe('what crosses: copies, moves, refusals', () => whatCrosses(open))
    describe('packets', () => marshaling(open))
    describe('iterables', () => iterables(open))
    describe('streams', () => streams(open))
    describe('first calls', () => firstCalls(open))
    describe('blocking calls', () => blockingCalls(open))
    describe('threads that block', () => blockedThreads(open))
    describe('deadlocks', () => deadlocks(open))
    describe('proxies', () => proxies(open))
    describe('what is reached', () => reachable(open))
    describe.runIf(open.sharesMemory)('what is served at a port', () => served(open))
    describe('one way', () => oneWay(open))
    describe('odd replies', () => oddReplies(open))
  })
}

/** Threads that meet, let go of each other, and end. */
export function describeThreads(over: LinkKind | Opener): void {
  describeOver(over, (open) => {
    // Of threads of one process:
    describe.runIf(open.sharesMemory)('attached', () => attached(open))
    describe.runIf(open.sharesMemory)('the main thread', () => mainThread(open))
    describe.runIf(open.sharesMemory)('introductions', () => introductions(open))
    describe.runIf(open.sharesMemory)('names', () => names(open))
    describe.runIf(open.sharesMemory)('the object table', () => objectTableTests(open))
    describe.runIf(!open.sharesMemory)('apart', () => apart(open))
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
export function describeValues(over: LinkKind | Opener): void {
  describeOver(over, (open) => {
    describe('order', () => order(open))
    describe('sizes', () => sizes(open))
    describe('values that run code', () => encoding(open))
    describe('tables', () => tables(open))
  })
}

/** What it promises of memory, turns and time, however much goes over it. */
export function describeLoad(over: LinkKind | Opener): void {
  describeOver(over, (open) => {
    describe('back pressure', () => pressure(open))
    describe('the event loop', () => eventLoop(open))
    describe.runIf(open.sharesMemory)('memory', () => madeAndDropped(open))
    describe('floods and ends', () => floodsKilled(open))
    describe.runIf(open.sharesMemory)('idle', () => idle(open))
  })
}
