import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseOptions, UsageError } from '../dist/options.js'

test('nothing given', () => {
  expect(parseOptions([], {})).toMatchObject({ file: null, json: false, compare: true, help: false })
  expect(parseOptions([], {}).threads).toBeGreaterThanOrEqual(2)
  expect(parseOptions([], {}).threads).toBeLessThanOrEqual(8)
})

test('everything given', () => {
  const options = parseOptions(['--threads', '3', 'mail.mbox', '--json', '--compare'], { INIT_CWD: '/home/me' })
  expect(options).toEqual({
    file: resolve('/home/me/mail.mbox'),
    threads: 3,
    processes: false,
    json: true,
    compare: true,
    watch: false,
    notify: 'first-thread',
    copy: null,
    help: false,
  })
})

test('readers are processes where that is wanted', () => {
  expect(parseOptions(['--processes', '3'], {})).toMatchObject({ threads: 3, processes: true })
  expect(parseOptions(['--processes', '2', '--copy', 'out'], {})).toMatchObject({ threads: 2, processes: true })
})

test('a file is looked for where the user was', () => {
  expect(parseOptions(['a.mbox'], {}).file).toBe(resolve('a.mbox'))
  expect(parseOptions(['/a.mbox'], { INIT_CWD: '/home' }).file).toBe(resolve('/a.mbox'))
})

test('watching and copying', () => {
  const here = { INIT_CWD: '/home/me' }
  const watching = { file: resolve('/home/me/box'), watch: true, notify: 'service-thread', compare: false }
  expect(parseOptions(['box', '--watch', '--notify', 'service-thread'], here)).toMatchObject(watching)
  expect(parseOptions(['--watch'], here)).toMatchObject({ file: null, notify: 'first-thread', compare: false })
  const copying = { file: null, copy: resolve('/home/me/out'), threads: 2, compare: false }
  expect(parseOptions(['--copy', 'out', '--threads', '2'], here)).toMatchObject(copying)
})

test('one thread is compared only without a file, unless the user says', () => {
  expect(parseOptions(['a.mbox'], {}).compare).toBe(false)
  expect(parseOptions(['--no-compare'], {}).compare).toBe(false)
})

describe('what makes no sense is refused in one line', () => {
  test.each([
    [['--threads', '0']],
    [['--threads', '-1']],
    [['--threads', '1.5']],
    [['--threads', '1e1']],
    [['--threads', 'four']],
    [['--threads', '']],
    [['--threads', '1000000']],
    [['--threads']],
    [['--processes', '0']],
    [['--processes', 'two']],
    [['--threads', '2', '--processes', '2']],
    [['--watch', '--processes', '2']],
    [['--thread', '2']],
    [['--json=yes']],
    [['-x']],
    [['']],
    [['a.mbox', 'b.mbox']],
    [['--notify', 'this-thread']],
    [['--watch', '--notify', 'nowhere']],
    [['--watch', '--threads', '2']],
    [['--watch', '--copy', 'out']],
    [['--watch', '--compare']],
    [['--copy', 'out', '--compare']],
    [['--copy', '']],
    [['--copy']],
  ])('%j', (args) => {
    const refuse = () => parseOptions(args, {})
    expect(refuse).toThrow(UsageError)
    expect(refuse).toThrow(/^[^\n]+$/)
  })
})
