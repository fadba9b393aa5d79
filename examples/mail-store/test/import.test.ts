import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Apartment, Progress } from 'flatshare'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { reportFolders } from '../dist/folder-report.js'
import { generateArchive } from '../dist/generated/archive.js'
import { type Announcement, type Import, type Imported, importMail } from '../dist/import-mail.js'
import { MailIndex } from '../dist/mail-index.js'
import { Reader } from '../dist/reader.js'
import { Session } from '../dist/session.js'
import { readArchive } from './read-archive.js'
import { scratchFile } from './scratch-file.js'

const messages = 400
const directory = mkdtempSync(join(tmpdir(), 'mail-store-import-'))
const path = join(directory, 'test.mbox')
let bytes: number
beforeAll(() => {
  const unclosed = 'Content-Type: multipart/mixed; boundary=b\n\n--b\n\nno end\n\n'
  const broken = Buffer.from(`From x@example.org Thu Jan  1 00:00:00 2015\n${unclosed}`)
  const archive = Buffer.concat([...generateArchive(messages - 1), broken])
  writeFileSync(path, archive)
  bytes = archive.length
})
afterAll(() => rmSync(directory, { recursive: true }))

/** Imports the archive; `more` overrides how. */
async function run(threads: number, more: Partial<Import> = {}) {
  using progress = new Progress({ total: bytes })
  const heard: Announcement[] = []
  const job: Import = {
    path,
    bytes,
    threads,
    progress,
    shareBytes: 100_000,
    announce: (what) => heard.push(what),
    ...more,
  }
  const result = await importMail(job, (imported, { folders }) => ({ imported, folders: reportFolders(folders) }))
  return { ...result, heard, progress: progress.value }
}

/** What doesn't depend on who read what. */
const found = ({ perThread, ...rest }: Imported) => rest

test('what is found does not depend on the number of threads, and is what one plain loop finds', async () => {
  const plain = await readArchive(path, bytes, 1, 1000)
  const runs = [await run(1), await run(2), await run(4)]
  for (const { imported, heard, folders } of runs) {
    expect(imported.messages).toBe(messages)
    expect(imported.failed).toBe(1)
    expect(imported.parsed + imported.failed).toBe(imported.messages)
    expect(imported.perThread.reduce((a, b) => a + b)).toBe(messages)
    expect(plain).toMatchObject(found(imported))
    const batches = heard.flatMap((what) => (what.kind === 'batch' ? [what.messages] : []))
    expect(batches.reduce((a, b) => a + b)).toBe(messages)
    const announced = heard.flatMap((what) => (what.kind === 'folder' ? [what.name] : []))
    expect(announced.sort()).toEqual(folders.map(({ name }) => name))
    expect(folders.reduce((sum, folder) => sum + folder.messages, 0)).toBe(messages - 1)
    expect(folders).toEqual(runs[0].folders)
  }
})

test.each([
  ['thread', false],
  ['process', true],
])('a reader that dies, with its %s, is announced, and its share is read by the others', async (_what, processes) => {
  const lost: string[] = []
  let first: Apartment | undefined
  const { imported } = await run(2, {
    processes,
    onReader(apartment) {
      first ??= apartment
    },
    announce(what) {
      if (what.kind === 'batch') void first?.terminate()
      if (what.kind === 'lost') lost.push(what.reader)
    },
  })
  expect(lost).toEqual([first!.name])
  expect([imported.messages, imported.failed]).toEqual([messages, 1])
  expect(found(imported)).toEqual(found((await run(1)).imported))
})

test('readers in processes find the same', async () => {
  const [threads, processes] = [await run(2), await run(2, { processes: true })]
  expect(found(processes.imported)).toEqual(found(threads.imported))
  expect(processes.folders).toEqual(threads.folders)
  expect(processes.imported.perThread).toHaveLength(2)
  expect(processes.imported.perThread.reduce((a, b) => a + b)).toBe(messages)
})

test('the only reader that dies is replaced', async () => {
  const lost: string[] = []
  let first: Apartment | undefined
  const { imported } = await run(1, {
    onReader(apartment) {
      first ??= apartment
    },
    announce(what) {
      if (what.kind === 'batch') void first?.terminate()
      if (what.kind === 'lost') lost.push(what.reader)
    },
  })
  expect(lost).toEqual(['reader 1'])
  expect(imported.messages).toBe(messages)
})

test('a reader that dies before it has a share is replaced too', async () => {
  const lost: string[] = []
  let first: Apartment | undefined
  const { imported } = await run(1, {
    onReader(apartment) {
      if (!first) void (first = apartment).terminate()
    },
    announce(what) {
      if (what.kind === 'lost') lost.push(what.reader)
    },
  })
  expect(lost).toEqual(['reader 1'])
  expect(imported.messages).toBe(messages)
})

test('of a share that two readers died of, the large messages are not parsed', async () => {
  const small = 'From a@example.org Thu Jan  1 00:00:00 2015\nSubject: small\n\ntext\n\n'
  const large = `From a@example.org Thu Jan  1 00:00:00 2015\nSubject: large\n\n${'text\n'.repeat(250_000)}\n`
  const file = scratchFile(small + large + small)
  const end = 2 * small.length + large.length
  const read = async (deaths: number) => {
    using progress = new Progress({ total: end })
    const session = new Session()
    const index = new MailIndex()
    const advice = { finish() {} }
    await new Reader({ path: file, session, index, advice, progress }).read({ start: 0, end, number: 0, deaths })
    await session.cursor[Symbol.asyncDispose]()
    return index.summarize()
  }
  expect(await read(1)).toMatchObject({ parsed: 3, failed: 0, bytes: end })
  expect(await read(2)).toMatchObject({ parsed: 2, failed: 1, bytes: end })
})

test.each([
  ['threads', false],
  ['processes', true],
])('cancelling the progress ends the import on %s with what was done until then', async (_what, processes) => {
  using progress = new Progress({ total: bytes })
  const { imported } = await run(2, { processes, progress, announce: () => progress.cancel() })
  expect(imported.messages).toBeGreaterThan(0)
  expect(imported.messages).toBeLessThan(messages)
  expect(imported.parsed + imported.failed).toBe(imported.messages)
})
