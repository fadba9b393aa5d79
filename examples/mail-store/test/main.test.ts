import { spawn } from 'node:child_process'
import { openSync, readdirSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { generateArchive } from '../dist/generated/archive.js'
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

test('Ctrl-C cancels: what was done is printed, and the exit code is 130', async () => {
  // More than any machine reads before the signal reaches it.
  const file = join(scratchDirectory(), 'long.mbox')
  const block = Buffer.concat([...generateArchive(500)])
  const descriptor = openSync(file, 'w')
  for (let i = 0; i < 30; i++) writeSync(descriptor, block)
  let interrupted = false
  const { out, code } = await run([file, '--threads', '2'], (text, child) => {
    if (interrupted || !text.includes('new folder')) return
    interrupted = true
    child.kill('SIGINT')
  })
  expect(code).toBe(130)
  expect(out).toContain('cancelled: what was done until then')
  const messages = Number(/^messages +([\d,]+)$/m.exec(out)![1].replaceAll(',', ''))
  expect(messages).toBeGreaterThan(0)
  expect(messages).toBeLessThan(15_000)
})

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
