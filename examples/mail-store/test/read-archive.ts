import { open } from 'node:fs/promises'
import { MailIndex } from '../dist/mail-index.js'
import { type ByteRange, type RawMessage, type ReadOptions, readMessages, splitRanges } from '../dist/mbox.js'
import { isFailure, type Outcome, parseMessage } from '../dist/message.js'
import type { Report } from '../dist/report.js'

/** The messages of all ranges, one range after the other. */
export async function readRanges(path: string, ranges: ByteRange[], options?: ReadOptions): Promise<RawMessage[]> {
  const file = await open(path)
  try {
    const messages: RawMessage[] = []
    for (const range of ranges) {
      for await (const message of readMessages(file, range, options)) messages.push(message)
    }
    return messages
  } finally {
    await file.close()
  }
}

/** The whole job on one thread: the archive in `count` ranges, indexed in batches, the last range first. */
export async function readArchive(path: string, size: number, count: number, batchSize: number): Promise<Report> {
  const index = new MailIndex()
  const report = { messages: 0, parsed: 0, failed: 0, bytes: 0, weekdays: Array(7).fill(0), hours: Array(24).fill(0) }
  const file = await open(path)
  let batches = 0
  const add = (batch: Outcome[]) => index.add(index.publish(batches++, batch))
  for (const range of splitRanges(size, count).reverse()) {
    const batch: Outcome[] = []
    for await (const message of readMessages(file, range)) {
      const outcome = await parseMessage(message)
      report.messages++
      report.bytes += message.size
      if (isFailure(outcome)) report.failed++
      else {
        report.parsed++
        if (outcome.weekday !== null) report.weekdays[outcome.weekday]++
        if (outcome.hour !== null) report.hours[outcome.hour]++
      }
      batch.push(outcome)
      if (batch.length === batchSize) add(batch.splice(0))
    }
    add(batch)
  }
  await file.close()
  return {
    ...index.summarize(),
    ...report,
    source: 'test',
    cancelled: false,
    folders: [],
    threads: 1,
    processes: false,
    perThread: [report.messages],
    seconds: 1,
    oneThreadSeconds: null,
  }
}
