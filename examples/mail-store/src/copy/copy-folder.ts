/**
 * One folder as mbox files, one for each month: `2014/2014-03.mbox`. What is copied is copied byte by byte, with the
 * separator lines.
 *
 * While a file is written it is called `2014-03.mbox.part`; then it gets its name. When the copying is cancelled, what is
 * there by then gets it: only whole messages are written. What a thread or a process that dies leaves behind has `.part` at
 * its end, and whoever copies the folder again begins it anew. So a file with the name `.mbox` is whole.
 */
import { Buffer } from 'node:buffer'
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Progress } from 'flatshare'
import { dayName, noDay } from '../calendar-day.js'
import type { MessageRecord } from '../message-record.js'
import type { CopiedFolder, FolderTask } from './folders-table.js'

/** So many bytes are gathered until they are written. */
const gathered = 1024 * 1024

/** Copies a folder into one of its name in the target, as far as its progress is not cancelled. */
export async function copyFolder(task: FolderTask, archive: FileHandle, target: string): Promise<CopiedFolder> {
  const { name, folder, messages, progress } = task
  const result: CopiedFolder = { name, messages, copied: 0, bytes: 0, files: [] }
  const directory = join(target, name)
  if (task.isAgain) await rm(directory, { recursive: true, force: true })
  await mkdir(directory, { recursive: true })
  for (const [month, records] of byMonth(folder.messages)) {
    if (progress.cancelled) break
    const bytes = records.reduce((sum, { size }) => sum + size, 0)
    using part = progress.child({ items: bytes, label: month })
    const file = `${month}.mbox`
    const copied = await copyMessages(records, archive, join(directory, file), part)
    if (copied.messages > 0) result.files.push(`${name}/${file}`)
    result.copied += copied.messages
    result.bytes += copied.bytes
  }
  progress.done()
  return result
}

/** Months in their order, with their messages in the order of the archive. */
function byMonth(messages: Iterable<MessageRecord>): Map<string, MessageRecord[]> {
  const months = new Map<string, MessageRecord[]>()
  const inOrder = Array.from(messages, (record) => ({ record, offset: record.offset, month: monthOf(record) }))
  inOrder.sort((a, b) => (a.month < b.month ? -1 : a.month > b.month ? 1 : a.offset - b.offset))
  for (const { record, month } of inOrder) {
    const others = months.get(month)
    if (others) others.push(record)
    else months.set(month, [record])
  }
  return months
}

const monthOf = ({ day }: MessageRecord) => (day === noDay ? 'undated' : dayName(day).slice(0, 7))

/** Copies messages until all are, or it is cancelled. */
async function copyMessages(records: readonly MessageRecord[], archive: FileHandle, path: string, progress: Progress) {
  const copied = { messages: 0, bytes: 0 }
  const partial = `${path}.part`
  const file = await open(partial, 'w')
  try {
    let pending: Buffer[] = []
    let size = 0
    const write = async () => {
      await file.appendFile(Buffer.concat(pending))
      copied.messages += pending.length
      copied.bytes += size
      pending = []
      size = 0
    }
    for (const record of records) {
      const message = await readMessage(archive, record)
      pending.push(message)
      size += message.length
      if (size >= gathered) await write()
      if (!progress.advance(record.size)) break // cancelled: what was read is written
    }
    if (pending.length > 0) await write()
  } finally {
    await file.close()
  }
  if (copied.messages > 0) await rename(partial, path)
  else await rm(partial)
  return copied
}

/** The bytes of a message, with an empty line at the end, which the last one of an archive may lack. */
async function readMessage(archive: FileHandle, { offset, size }: MessageRecord): Promise<Buffer> {
  const bytes = Buffer.alloc(size)
  for (let filled = 0; filled < size; ) {
    const { bytesRead } = await archive.read(bytes, filled, size - filled, offset + filled)
    if (bytesRead === 0) throw new Error(`the archive was cut off at byte ${offset + filled} while it was copied`)
    filled += bytesRead
  }
  const end = bytes.toString('latin1', Math.max(0, size - 3))
  if (/\n\r?\n$/.test(end)) return bytes
  return Buffer.concat([bytes, Buffer.from(end.endsWith('\n') ? '\n' : '\n\n')])
}
