import { expect, test } from 'vitest'
import { baseSubject } from '../dist/base-subject.js'

test.each([
  ['Hello', 'Hello'],
  ['Re: Hello', 'Hello'],
  ['RE : re:Hello', 'Hello'],
  ['Fw: Fwd: FWD: Hello', 'Hello'],
  ['Re[2]: Hello', 'Hello'],
  ['Re [2]: Hello', 'Hello'],
  ['[list] Re: [list] Hello', 'Hello'],
  ['Re: [list] [PATCH 2/3] Hello', 'Hello'],
  ['[a][b] Re: Hello', 'Hello'],
  ['Hello (fwd)', 'Hello'],
  ['Re: Hello (fwd) (FWD)  ', 'Hello'],
  ['[Fwd: Hello]', 'Hello'],
  ['[fwd: [Fwd: Re: Hello (fwd)]]', 'Hello'],
  ['[Fwd: [list] Hello]', 'Hello'],
  ['Re: [Fwd: Hello] (fwd)', 'Hello'],
  ['  Hello\t \r\n world ', 'Hello world'],
  ['[PATCH]', '[PATCH]'],
  ['[PATCH] ', '[PATCH]'],
  ['Re: [list]', '[list]'],
  ['Re:', ''],
  ['(fwd)', ''],
  ['', ''],
  ['Regarding: Hello', 'Regarding: Hello'],
  ['Re Hello', 'Re Hello'],
  ['Forward: Hello', 'Forward: Hello'],
  ['Hello [list]', 'Hello [list]'],
  ['[Fwd: Hello] there', 'there'],
  ['[[x]] Hello', '[[x]] Hello'],
])('%j has the base subject %j', (subject, base) => {
  expect(baseSubject(subject)).toBe(base)
})
