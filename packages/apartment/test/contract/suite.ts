/** Everything that a link between two threads must carry and survive, whatever it is made of. */
import { describe } from 'vitest'
import { blockingCalls } from './blocking.js'
import { calls } from './calls.js'
import { crossing } from './crossing.js'
import { ends } from './ends.js'
import { givenUp } from './given-up.js'
import { givenUpIterations } from './given-up-iterations.js'
import { names } from './names.js'
import { oddReplies } from './odd-replies.js'
import { oneWay } from './one-way.js'
import type { Opener } from './opener.js'
import { references } from './references.js'
import { serial } from './serial.js'
import { settling } from './settling.js'
import { terminated } from './terminated.js'
import { waysToDie } from './ways-to-die.js'

/** `link` names it in the tests' names; `open` opens an apartment over it. */
export function describeLink(link: string, open: Opener): void {
  describe(`over ${link}`, () => {
    describe('calls', () => calls(open))
    describe('turns', () => serial(open))
    describe('ends of calls', () => settling(open))
    describe('what crosses', () => crossing(open))
    describe('blocking calls', () => blockingCalls(open))
    describe('names', () => names(open, link))
    describe('lifetime', () => references(open))
    describe('ends of threads', () => ends(open))
    describe('given up', () => givenUp(open))
    describe('iterations given up', () => givenUpIterations(open))
    describe('terminated', () => terminated(open))
    describe('one way', () => oneWay(open))
    describe('odd replies', () => oddReplies(open))
    describe('ways to die', () => waysToDie(open))
  })
}
