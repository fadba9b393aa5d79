import { expect, test } from 'vitest'
import { parseDate } from '../dist/written-date.js'

const sunday = { day: '2024-03-31', weekday: 6, hour: 1 }

test.each([
  ['Sun, 31 Mar 2024 01:30:00 +0000', { instant: '2024-03-31T01:30:00.000Z', ...sunday }],
  ['Sun, 31 Mar 2024 01:30:00 -0800', { instant: '2024-03-31T09:30:00.000Z', ...sunday }],
  ['31 Mar 2024 01:30 +0530', { instant: '2024-03-30T20:00:00.000Z', ...sunday }],
  ['Sun,31 Mar 24 01:30:00 EST', { instant: '2024-03-31T06:30:00.000Z', ...sunday }],
  ['Sun, 31 Mar 2024 01:30:00 +0100 (CET (winter))', { instant: '2024-03-31T00:30:00.000Z', ...sunday }],
  ['Sun, 31 Mar 2024 01:30:00 GMT', { instant: '2024-03-31T01:30:00.000Z', ...sunday }],
  ['Sun, 31 Mar 2024 01:30:00', { instant: '2024-03-31T01:30:00.000Z', ...sunday }],
  ['Sunday, 31-Mar-24 01:30:00 PDT', { instant: '2024-03-31T08:30:00.000Z', ...sunday }],
  ['Sun Mar 31 01:30:00 2024', { instant: '2024-03-31T01:30:00.000Z', ...sunday }],
  ['Sun Mar 31 01:30:00 2024 +0200', { instant: '2024-03-30T23:30:00.000Z', ...sunday }],
  ['Thu, 1 Jan 98 23:59:60 +0000', { instant: '1998-01-01T23:59:59.000Z', day: '1998-01-01', weekday: 3, hour: 23 }],
])('%s', (field, expected) => {
  expect(parseDate(field)).toEqual(expected)
})

test.each(['', 'yesterday', 'Sun, 31 Foo 2024 01:30:00', '31 Feb 2024 01:30:00', '1 Jan 2024 25:00:00', '1 Jan 2024'])(
  '%j is no date',
  (field) => {
    expect(parseDate(field)).toBeNull()
  },
)
