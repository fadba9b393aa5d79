import { execFileSync, spawn } from 'node:child_process'
import { appendFileSync, existsSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import type { CopyReport } from '../dist/copy/copy-report.js'
import { generateArchive } from '../dist/generated/archive.js'
import { mail } from './mail-text.js'
import { scratchDirectory, scratchFile } from './scratch-file.js'

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))

/** Runs the program; `meanwhile` gets what it says on standard error, as it comes. */
async function run(
  args: string[],
  meanwhile: (text: string, child: ReturnType<typeof spawn>) => void = () => {},
  env: NodeJS.ProcessEnv = {},
) {
  const child = spawn(process.execPath, [main, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  })
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
    meanwhile(text, child)
  })
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { out, err, code }
}

/** The processes that a process has started. */
const childrenOf = (parent: number) =>
  execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .flatMap(([pid, ppid]) => (ppid === parent ? [pid] : []))

const archive = (messages: number) => scratchFile(Buffer.concat([...generateArchive(messages)]))

test('--json prints one document and nothing else, the same for every number of threads', async () => {
  const file = archive(200)
  const documents = []
  for (const threads of [1, 2, 4]) {
    const { out, err, code } = await run([file, '--threads', String(threads), '--json'])
    expect({ err, code }).toEqual({ err: '', code: 0 })
    documents.push(JSON.parse(out))
  }
  for (const [i, { perThread, seconds, threads, ...rest }] of documents.entries()) {
    expect(perThread).toHaveLength([1, 2, 4][i])
    expect(threads).toBe([1, 2, 4][i])
    expect(seconds).toBeGreaterThan(0)
    expect(rest.messages).toBe(200)
    expect(rest.parsed + rest.failed).toBe(rest.messages)
    expect(rest.senders).toHaveLength(10)
    const { perThread: _p, seconds: _s, threads: _t, ...first } = documents[0]
    expect(rest).toEqual(first)
  }
})

test('--processes prints the same document', async () => {
  const file = archive(200)
  const [threads, processes] = [
    await run([file, '--threads', '2', '--json']),
    await run([file, '--processes', '2', '--json']),
  ]
  expect({ err: processes.err, code: processes.code }).toEqual({ err: '', code: 0 })
  const { processes: count, perProcess, oneProcessSeconds, seconds: _s, ...found } = JSON.parse(processes.out)
  const { threads: _c, perThread: _p, oneThreadSeconds: _o, seconds: _t, ...expected } = JSON.parse(threads.out)
  expect(found).toEqual(expected)
  expect([count, perProcess.length, oneProcessSeconds]).toEqual([2, 2, null])
})

test('a reading process that is killed is announced, and its share is read again', async () => {
  const file = archive(2000)
  let killed = false
  const { out, err, code } = await run([file, '--processes', '2'], (text, child) => {
    if (killed || !text.includes('new folder')) return
    killed = true
    process.kill(childrenOf(child.pid!)[0]!, 'SIGKILL')
  })
  expect(code).toBe(0)
  expect(err).toMatch(/^mail-store: reader [12] died, its share is read again: .*SIGKILL/m)
  expect(out).toMatch(/^messages +2,000$/m)
})

test('the readable summary says what was found, and new folders are announced', async () => {
  const { out, err, code } = await run([archive(100), '--threads', '2'])
  expect(code).toBe(0)
  expect(out).toMatch(/^messages +100$/m)
  expect(err).toMatch(/^new folder 20\d\d$/m)
})

test('with --compare one thread alone is measured beside', async () => {
  const { out } = await run([archive(100), '--threads', '2', '--compare'])
  expect(out).toMatch(/one thread alone: \d+\.\d\d s/)
})

describe('what cannot be read is said in one line, with exit code 2', () => {
  const cases: Array<[what: string, args: () => string[], line: RegExp]> = [
    ['a missing file', () => [join(scratchDirectory(), 'none.mbox')], /does not exist/],
    ['an empty file', () => [scratchFile('')], /is empty/],
    ['a folder', () => [scratchDirectory()], /is a directory/],
    ['a file that is no mail', () => [scratchFile('{"mail": false}\n')], /is not mail/],
    ['an unknown option', () => ['--thread', '2'], /--thread/],
    ['a folder to copy to that isn’t empty', () => [archive(1), '--copy', join(scratchFile(''), '..')], /is not empty/],
    ['a folder to watch that isn’t there', () => [join(scratchDirectory(), 'a/b'), '--watch'], /is no folder/],
    ['no number of threads', () => ['--threads', 'two'], /--threads takes a whole number/],
  ]
  test.each(cases)('%s', async (_what, args, line) => {
    const { out, err, code } = await run(args())
    expect(code).toBe(2)
    expect(out).toBe('')
    expect(err).toMatch(line)
    expect(err.trimEnd().split('\n')).toHaveLength(1)
  })
})

test('where no archive can be written, that is said in one line, with exit code 2', async () => {
  const { out, err, code } = await run([], undefined, { TMPDIR: join(scratchDirectory(), 'none') })
  expect({ out, code }).toEqual({ out: '', code: 2 })
  expect(err).toMatch(/^mail-store: no archive could be written: .*\n$/)
})

test('whoever stops reading the output is no error', async () => {
  const { err, code } = await run([archive(100)], (_text, child) => child.stdout!.destroy())
  expect(code).toBe(0)
  expect(err).not.toContain('EPIPE')
})

test('a message that ends before its closing boundary is failed, with its byte offset, and the rest goes on', async () => {
  const separator = 'From a@example.org Thu Jan  1 00:00:00 2015\n'
  const whole = `${separator}From: A@Example.org\nSubject: whole\n\ntext\n\n`
  const cut = `${separator}From: b@example.org\nContent-Type: multipart/mixed; boundary="x"\n\n--x\n\ncut off\n\n`
  const { out } = await run([scratchFile(whole + cut + whole), '--json', '--threads', '2'])
  const report = JSON.parse(out)
  expect(report).toMatchObject({ messages: 3, parsed: 2, failed: 1, senders: [{ address: 'a@example.org', count: 2 }] })
  expect(report.failures).toMatchObject([{ offset: whole.length }])
})

test.each(['--threads', '--processes'])(
  'Ctrl-C cancels with %s: what was done is printed, and the exit code is 130',
  async (readers) => {
    // More than any machine reads before the signal reaches it.
    const file = join(scratchDirectory(), 'long.mbox')
    const block = Buffer.concat([...generateArchive(500)])
    const descriptor = openSync(file, 'w')
    for (let i = 0; i < 30; i++) writeSync(descriptor, block)
    let interrupted = false
    const { out, err, code } = await run([file, readers, '2'], (text, child) => {
      if (interrupted || !text.includes('new folder')) return
      interrupted = true
      // A terminal sends it to all.
      for (const pid of [...childrenOf(child.pid!), child.pid!]) process.kill(pid, 'SIGINT')
    })
    expect(code).toBe(130)
    expect(err).not.toContain('died')
    expect(out).toContain('cancelled: what was done until then')
    const messages = Number(/^messages +([\d,]+)$/m.exec(out)![1].replaceAll(',', ''))
    expect(messages).toBeGreaterThan(0)
    expect(messages).toBeLessThan(15_000)
  },
)

test.each(['SIGINT', 'SIGTERM'] as const)('%s, sent twice in a row, leaves no temporary file', async (name) => {
  const directory = scratchDirectory()
  let interrupted = false
  const interrupt = (text: string, child: ReturnType<typeof spawn>) => {
    if (interrupted || !text.includes('new folder')) return
    interrupted = true
    child.kill(name)
    child.stdout!.once('data', () => child.kill(name))
  }
  const { out, code } = await run(['--no-compare'], interrupt, { TMPDIR: directory })
  expect(code).toBe(130)
  expect(out).toContain('cancelled: what was done until then')
  expect(readdirSync(directory)).toEqual([])
})

describe('--watch', () => {
  interface Line {
    event: string
    thread?: string
    messages?: number
    heardOn?: string[]
    arrived?: number
  }
  const linesOf = (out: string) =>
    out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Line)

  test.each([
    ['first-thread', 'main'],
    ['this-thread', 'main'],
    ['service-thread', 'notifications'],
  ])('--notify %s: what another process delivers is told on the thread "%s"', async (place, thread) => {
    const directory = scratchDirectory()
    const { out, err, code } = await run(['--watch', '--json', '--notify', place], undefined, { TMPDIR: directory })
    expect(err).toMatch(/^watching .*, to which another process delivers 30 messages\n$/)
    expect(code).toBe(0)
    const lines = linesOf(out)
    const summary = lines.pop()
    expect(summary).toMatchObject({ event: 'summary', arrived: 30, failed: 0, heardOn: [thread] })
    expect(new Set(lines.map((line) => line.thread))).toEqual(new Set([thread]))
    const arrived = lines.filter(({ event }) => event === 'mailArrived')
    expect(arrived.reduce((sum, { messages }) => sum + messages!, 0)).toBe(30)
    expect(readdirSync(directory)).toEqual([])
  })

  test('a file that somebody appends to, until Ctrl-C', async () => {
    const file = scratchFile(mail(1))
    let appended = false
    const child = await run([file, '--watch'], (text, child) => {
      if (appended || !text.includes('watching')) return
      appended = true
      child.stdout!.on('data', (text: string) => {
        if (text.includes('mail 2')) child.kill('SIGINT')
      })
      appendFileSync(file, mail(2) + mail(3))
    })
    expect(child.code).toBe(0)
    expect(child.out).toMatch(/^ {2}2015-01-01 {2}a@example\.org {2}mail 2$/m)
    expect(child.out).toMatch(/^test\.mbox {2}3 messages, [23] new, 3 conversations$/m)
  })

  test('ends when nobody reads what it says any more', async () => {
    const file = scratchFile(mail(1))
    const { code, err } = await run([file, '--watch', '--notify', 'service-thread'], (text, child) => {
      if (!text.includes('watching')) return
      child.stdout!.destroy()
      appendFileSync(file, mail(2) + mail(3))
    })
    expect(code).toBe(0)
    expect(err).not.toContain('EPIPE')
  })
})

describe('--copy', () => {
  const contentOf = ({ target, folders }: Pick<CopyReport, 'target' | 'folders'>) =>
    folders.map(({ files }) => files.map((file) => readFileSync(join(target, file), 'latin1')))

  test('an archive comes back from its folders as it was', async () => {
    const file = archive(300)
    const target = join(scratchDirectory(), 'copy')
    const { out, err, code } = await run([file, '--copy', target, '--threads', '2', '--json'])
    expect({ err, code }).toEqual({ err: '', code: 0 })
    const report = JSON.parse(out) as CopyReport
    expect(report).toMatchObject({ cancelled: false, failed: 0, messages: 300, copied: 300, target })
    const copied = contentOf(report).flat().join('')
    expect(copied).toHaveLength(readFileSync(file).length)
    const [own, theirs] = [copied, readFileSync(file, 'latin1')].map((text) => text.split(/^(?=From )/m).sort())
    expect(own).toEqual(theirs)
  })

  test('Ctrl-C cancels: what is said to be copied is there, in whole messages, and the exit code is 130', async () => {
    // More than any machine copies before the signal reaches it.
    const file = archive(3000)
    const target = join(scratchDirectory(), 'copy')
    let interrupted = false
    const { out, code } = await run([file, '--copy', target, '--threads', '2'], (text, child) => {
      if (interrupted || !text.includes('copying')) return
      interrupted = true
      child.kill('SIGINT')
    })
    expect(code).toBe(130)
    expect(out).toContain('(cancelled: what was done until then)')
    const copied = Number(/^([\d,]+) of 3,000 messages/m.exec(out)![1].replaceAll(',', ''))
    expect(copied).toBeLessThan(3000)
    const years = existsSync(target) ? readdirSync(target) : []
    const files = years.flatMap((year) => readdirSync(join(target, year)).map((name) => join(target, year, name)))
    const text = files.map((path) => readFileSync(path, 'latin1')).join('')
    const source = new Set(readFileSync(file, 'latin1').split(/^(?=From .*\d\d:\d\d:\d\d \d{4}$)/m))
    const messages = text === '' ? [] : text.split(/^(?=From .*\d\d:\d\d:\d\d \d{4}$)/m)
    expect(messages).toHaveLength(copied)
    for (const message of messages) expect(source.has(message)).toBe(true)
  })
})
