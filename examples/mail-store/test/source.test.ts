import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import PostalMime from 'postal-mime'
import { expect, onTestFinished, test, vi } from 'vitest'
import { checkArchive } from '../dist/archive.js'
import { generateArchive } from '../dist/generated/archive.js'
import { countCommits, writeHistory } from '../dist/git-history.js'
import { splitRanges } from '../dist/mbox.js'
import { openSource } from '../dist/source.js'
import { readArchive, readRanges } from './read-archive.js'
import { scratchDirectory, scratchFile } from './scratch-file.js'

test('the generated archive is the same on every machine', () => {
  const hash = createHash('sha256')
  let count = 0
  for (const message of generateArchive()) {
    hash.update(message)
    count++
  }
  expect(count).toBe(20_000)
  expect(hash.digest('hex')).toBe('75dd340a1b4de75733da478b4ec6d2bd9825ea9630046344dca87f478457635b')
})

test('what is generated reads back: texts in every charset, and From lines', async () => {
  const path = scratchFile(Buffer.concat([...generateArchive(400)]))
  const messages = await readRanges(path, splitRanges(await checkArchive(path), 3))
  expect(messages).toHaveLength(400)
  const mails = await Promise.all(messages.map(({ bytes }) => PostalMime.parse(bytes ?? '')))
  const text = mails.map((mail) => `${mail.subject}\n${mail.from?.name}\n${mail.text}`).join('\n')
  expect(text).not.toContain('\u{FFFD}')
  for (const phrase of [
    'Jürgen',
    'Rückfrage',
    'Quelqu’un',
    'Спасибо',
    'ありがとうございました。',
    '\nFrom here on',
    '\n>From here on',
  ]) {
    expect(text).toContain(phrase)
  }
})

test('the report is the same however an archive is divided', async () => {
  const damaged = 'From x Mon Jan  1 00:00:00 2024\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\ncut short\n\n'
  const path = scratchFile(Buffer.concat([...generateArchive(1000), Buffer.from(damaged)]))
  const size = await checkArchive(path)
  const whole = await readArchive(path, size, 1, 100)
  expect(whole).toMatchObject({ messages: 1001, parsed: 1000, failed: 1, bytes: size })
  expect(whole.failures).toMatchObject([{ offset: size - damaged.length }])
  expect(whole.conversations).toBeGreaterThan(200)
  for (const [count, batch] of [
    [2, 100],
    [4, 7],
    [7, 1],
  ])
    expect(await readArchive(path, size, count, batch)).toEqual(whole)
})

test('where history is short or missing, the source is a generated archive that disposal removes', async () => {
  const source = await openSource(null, { directory: scratchDirectory() })
  try {
    expect(source.description).toMatch(/generated archive of 20000/)
    expect(await checkArchive(source.path)).toBe(source.bytes)
  } finally {
    source[Symbol.dispose]()
  }
  expect(existsSync(source.path)).toBe(false)
})

test('an aborted source leaves nothing behind', async () => {
  const directory = scratchDirectory()
  for (const name of ['TMPDIR', 'TEMP']) vi.stubEnv(name, directory)
  onTestFinished(() => void vi.unstubAllEnvs())
  const aborted = openSource(null, { directory, signal: AbortSignal.abort() })
  await expect(aborted).rejects.toMatchObject({ name: 'AbortError' })
  expect(readdirSync(directory)).toEqual([])
})

test("the user's own file stays", async () => {
  const path = scratchFile('From a\nSubject: x\n\n')
  const source = await openSource(path)
  source[Symbol.dispose]()
  expect(existsSync(path)).toBe(true)
})

const gitMissing = (() => {
  try {
    execFileSync('git', ['--version'])
    return false
  } catch {
    return true
  }
})()

test.skipIf(gitMissing)(
  'history as mail has a message for each commit, whatever stands in messages and patches',
  async () => {
    const directory = scratchDirectory()
    const git = (args: string[], input: string | Buffer = '') =>
      execFileSync('git', ['-c', 'user.name=Zoë From', '-c', 'user.email=zoe@example.org', ...args], {
        cwd: directory,
        input,
        stdio: ['pipe', 'ignore', 'ignore'],
      })
    const commit = (message: string | Buffer, ...options: string[]) =>
      git(
        ['commit', '-q', '--allow-empty', '--allow-empty-message', '--cleanup=verbatim', '-F', '-', ...options],
        message,
      )
    git(['init', '-q'])
    commit('first\n\nFrom nobody Mon Sep 17 00:00:00 2001\nSubject: x\n\n>From quoted\n>>From twice\n')
    const mbox = 'From a Mon Sep 17 00:00:00 2001\nSubject: hi\n\r\nFrom b Mon Sep 17 00:00:00 2001\r\nSubject: x\r\n'
    writeFileSync(join(directory, 'mail.mbox'), mbox)
    writeFileSync(join(directory, 'binary'), Buffer.from([0, 1, 2, 10, 70, 114, 111, 109, 32]))
    git(['add', '.'])
    commit('From the start\n\n\n\nFrom me: hello\nX: y\n')
    git(['rm', '-q', 'mail.mbox'])
    commit(Buffer.from('caf\xe9\r\n\r\nFrom caf\xe9\r\nTo: x\r\n', 'latin1'))
    commit('')

    const path = join(directory, 'history.mbox')
    expect(await writeHistory(directory, path)).toBe(true)
    expect(await countCommits(directory)).toBe(4)
    const size = await checkArchive(path)
    expect(await readRanges(path, splitRanges(size, 3))).toHaveLength(4)
    const report = await readArchive(path, size, 2, 1)
    expect(report).toMatchObject({ messages: 4, parsed: 4, senders: [{ key: 'zoe@example.org', count: 4 }] })
  },
)

test('where there is no repository, or no commit in it, there is no history', async () => {
  const directory = scratchDirectory()
  expect(await countCommits(directory)).toBe(0)
  expect(await writeHistory(directory, join(directory, 'history.mbox'))).toBe(false)
  expect(await writeHistory(join(directory, 'missing'), join(directory, 'history.mbox'))).toBe(false)
})
