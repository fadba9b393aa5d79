import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { Apartment, contextsOf, Progress } from 'flatshare'
import { describe, expect, onTestFinished, test } from 'vitest'
import { copyFolder } from '../dist/copy/copy-folder.js'
import { type Copy, copyFolders, makeTarget } from '../dist/copy/copy-folders.js'
import { FoldersTable, type FolderTask } from '../dist/copy/folders-table.js'
import { Folder } from '../dist/folder.js'
import { MailIndex } from '../dist/mail-index.js'
import { splitRanges } from '../dist/mbox.js'
import { parseMessage } from '../dist/message.js'
import { readRanges } from './read-archive.js'
import { scratchDirectory, scratchFile } from './scratch-file.js'

/** A message of a month; long ones take several writes. */
const letter = (number: number, month: string, length = 10) =>
  `From a@example.org Thu Jan  1 00:00:00 2015\nSubject: letter ${number}\n` +
  `Date: 3 ${month} 12:00:00 +0000\nMessage-ID: <${number}@example.org>\n\n>From here ${'x'.repeat(length)}\n\n`

const months = ['Jan 2014', 'Jan 2014', 'Mar 2014', 'Mar 2014', 'Mar 2014', 'Feb 2015', 'Feb 2016']

/** An archive of some letters, in the index. */
async function archiveOf(text = months.map((month, number) => letter(number, month)).join('')) {
  const path = scratchFile(text)
  const index = new MailIndex()
  const messages = await readRanges(path, splitRanges(Buffer.byteLength(text), 1))
  const file = await open(path)
  onTestFinished(() => file.close())
  const outcomes = await Promise.all(messages.map((message) => parseMessage(message)))
  index.add(index.publish(0, outcomes))
  return { path, file, folders: index.folders, target: join(scratchDirectory(), 'copy') }
}

const written = (target: string) =>
  existsSync(target)
    ? Object.fromEntries(
        readdirSync(target, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath, entry.name))
          .sort()
          .map((path) => [path.slice(target.length + 1), readFileSync(path, 'utf8')]),
      )
    : {}

const taskOf = (folder: Folder, progress: Progress): FolderTask => ({
  name: folder.name,
  folder,
  messages: folder.messages.length,
  progress,
  isAgain: false,
})

test('folders are copied byte by byte, a file for each month, whatever the number of threads', async () => {
  const letters = months.map((month, number) => letter(number, month))
  // The end of the archive lacks its empty line.
  const { path, folders, target } = await archiveOf(letters.join('').slice(0, -1))
  for (const threads of [1, 3]) {
    using progress = new Progress()
    const parts: Progress[] = []
    const copy: Copy = {
      path,
      folders,
      target: join(target, `${threads}`),
      threads,
      progress,
      onParts: (all) => parts.push(...all),
    }
    const result = await copyFolders(copy)
    expect(written(copy.target)).toEqual({
      '2014/2014-01.mbox': letters[0] + letters[1],
      '2014/2014-03.mbox': letters[2] + letters[3] + letters[4],
      '2015/2015-02.mbox': letters[5],
      '2016/2016-02.mbox': letters[6],
    })
    expect(result.map(({ name, messages, copied, files }) => [name, messages, copied, files.length])).toEqual([
      ['2014', 5, 5, 2],
      ['2015', 1, 1, 1],
      ['2016', 1, 1, 1],
    ])
    expect(parts.map(({ label, value, max }) => [label, value === max])).toEqual([
      ['2014', true],
      ['2015', true],
      ['2016', true],
    ])
    expect(progress.value).toBe(progress.max)
  }
})

describe('S37 cancelling leaves a partial result, which is whole', () => {
  test('in the middle of a file: it has the messages that were read, and its name', async () => {
    const { file, folders, target } = await archiveOf()
    for (let reads = 1; reads <= 5; reads++) {
      const folder = folders.open('2014')
      const bytes = Array.from(folder.messages, ({ size }) => size).reduce((a, b) => a + b)
      using whole = new Progress({ total: 2 * bytes })
      let left = reads
      const cancelling = {
        read: (...args: Parameters<FileHandle['read']>) => {
          if (--left === 0) whole.cancel()
          return file.read(...args)
        },
      } as unknown as FileHandle
      const directory = join(target, `${reads}`)
      const result = await copyFolder(taskOf(folder, whole.child({ items: bytes })), cancelling, directory)
      const letters = months.slice(0, reads).map((month, number) => letter(number, month))
      expect(result).toMatchObject({ messages: 5, copied: reads })
      expect(Object.values(written(directory)).join('')).toBe(letters.join(''))
      expect(Object.keys(written(directory)).filter((name) => !name.endsWith('.mbox'))).toEqual([])
      expect(whole.value).toBeLessThan(whole.max)
    }
  })

  test.skipIf(process.platform === 'win32')('on all threads, while one of them writes', async () => {
    // The second file of the folder is a pipe: its copier waits there until somebody reads.
    const long = ['Jan 2014', ...Array<string>(50).fill('Mar 2014')].map((month, number) =>
      letter(number, month, 50_000),
    )
    const { path, folders, target } = await archiveOf(long.join('') + letter(99, 'Feb 2015'))
    const pipe = join(target, '2014/2014-03.mbox.part')
    mkdirSync(join(target, '2014'), { recursive: true })
    execFileSync('sh', ['-c', 'mkfifo "$0"', pipe])
    using whole = new Progress()
    const copying = copyFolders({ path, folders, target, threads: 2, progress: whole.child({ share: 0.5 }) })
    const reader = await open(pipe, 'r')
    whole.cancel()
    const piped = await reader.readFile('utf8')
    await reader.close()
    const [year] = await copying
    expect(year.messages).toBe(51)
    expect(year.copied).toBeGreaterThan(1)
    expect(year.copied).toBeLessThan(51)
    expect(piped).toBe(long.slice(1, year.copied).join(''))
    expect(readFileSync(join(target, '2014/2014-01.mbox'), 'utf8')).toBe(long[0])
    expect(existsSync(pipe)).toBe(false)
  })

  test('before anything is copied: nothing is', async () => {
    const { path, folders, target } = await archiveOf()
    using progress = new Progress()
    progress.cancel()
    const result = await copyFolders({ path, folders, target, threads: 2, progress })
    expect(result.map(({ copied }) => copied)).toEqual([0, 0, 0])
    expect(written(target)).toEqual({})
  })
})

describe('the table of folders', () => {
  async function openDying() {
    const apartment = await Apartment.open<typeof import('./threads/dying-copier.js')>(
      new URL('./threads/dying-copier.js', import.meta.url),
      { name: 'dying' },
    )
    onTestFinished(() => apartment.terminate())
    return { apartment, copier: await apartment.create('DyingCopier') }
  }

  const tableOf = (names: string[], progress: Progress) =>
    new FoldersTable(
      names.map((name) => taskOf(new Folder(name), progress.child({ items: 1 }))),
      progress,
    )

  test.each(['exit', 'terminate'] as const)(
    'S22 what a thread has in its hand comes back when it ends, by %s',
    async (how) => {
      using progress = new Progress()
      const table = tableOf(['2014', '2015'], progress)
      const { apartment, copier } = await openDying()
      expect(await copier.take(table)).toBe('2014')
      expect((await table.next())?.name).toBe('2015')
      const hands = contextsOf(table).map(({ thread, values }) => [
        thread.name,
        (values.hand as { task: FolderTask }).task.name,
      ])
      expect(Object.fromEntries(hands)).toEqual({ dying: '2014', main: '2015' })
      table.finish({ name: '2015', messages: 0, copied: 0, bytes: 0, files: [] })
      // Nothing is waiting now; who asks waits for what others have.
      const next = table.next()
      if (how === 'exit') await copier.end().catch(() => {})
      else await apartment.terminate()
      expect(await next).toMatchObject({ name: '2014', isAgain: true })
      table.finish({ name: '2014', messages: 0, copied: 0, bytes: 0, files: [] })
      expect(await table.next()).toBeNull()
      expect(contextsOf(table).map(({ thread }) => thread.name)).toEqual(['main'])
    },
  )

  test('cancelling ends the waiting', async () => {
    using progress = new Progress()
    const table = tableOf(['2014'], progress)
    const { copier } = await openDying()
    await copier.take(table)
    const next = table.next()
    progress.cancel()
    expect(await next).toBeNull()
    expect(table.unfinished).toBe(1)
  })
})

test('a copier that dies is announced, and its folder is copied anew by others', async () => {
  const { path, folders, target } = await archiveOf()
  const lost: string[] = []
  let first: Apartment | undefined
  using progress = new Progress()
  const result = await copyFolders({
    path,
    folders,
    target,
    threads: 1,
    progress,
    onCopier(apartment) {
      if (!first) void (first = apartment).terminate()
    },
    onLost: (copier) => lost.push(copier),
  })
  expect(lost).toEqual(['copier 1'])
  expect(result.map(({ copied }) => copied)).toEqual([5, 1, 1])
  expect(Object.keys(written(target))).toHaveLength(4)
})

test('of what a copier has left that died, nothing stays', async () => {
  const { file, folders, target } = await archiveOf()
  mkdirSync(join(target, '2014'), { recursive: true })
  writeFileSync(join(target, '2014/2014-03.mbox.part'), 'From half')
  writeFileSync(join(target, '2014/2014-02.mbox'), 'From before')
  using progress = new Progress()
  await copyFolder({ ...taskOf(folders.open('2014'), progress), isAgain: true }, file, target)
  expect(Object.keys(written(target))).toEqual(['2014/2014-01.mbox', '2014/2014-03.mbox'])
})

describe('where it can’t be written, that is an ArchiveError in one line', () => {
  test('a folder that isn’t empty, and a file', async () => {
    const file = scratchFile('From a')
    await expect(makeTarget(join(file, '..'))).rejects.toThrow(/is not empty$/)
    await expect(makeTarget(file)).rejects.toMatchObject({ name: 'ArchiveError', message: `${file} is not a folder` })
    const fresh = join(scratchDirectory(), 'a/b')
    await makeTarget(fresh)
    expect(readdirSync(fresh)).toEqual([])
  })

  test('something in the way; the other copiers end as well', async () => {
    const { path, folders, target } = await archiveOf()
    mkdirSync(target)
    writeFileSync(join(target, '2014'), 'in the way')
    using progress = new Progress()
    const copying = copyFolders({ path, folders, target, threads: 2, progress })
    await expect(copying).rejects.toMatchObject({ name: 'ArchiveError' })
    expect(progress.cancelled).toBe(true)
  })
})
