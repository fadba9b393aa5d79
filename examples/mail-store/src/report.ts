import type { FolderReport } from './folder-report.js'
import type { Imported } from './import-mail.js'

/** What a run found and how long it took: everything that is printed. */
export interface Report extends Imported {
  /** What was read, as one would say it. */
  source: string
  /** Ctrl-C ended the run early: the counts are of what was done until then. */
  cancelled: boolean
  /** One a year. */
  folders: FolderReport[]
  /** How many readers there were. */
  threads: number
  /** Readers were processes. */
  processes: boolean
  seconds: number
  /** What one reader alone took, where that was measured. */
  oneThreadSeconds: number | null
}

/** The report as the one JSON document of `--json`. */
export function toJson(report: Report): string {
  return JSON.stringify(
    {
      source: report.source,
      cancelled: report.cancelled,
      messages: report.messages,
      parsed: report.parsed,
      failed: report.failed,
      conversations: report.conversations,
      senders: report.senders.map(({ key, count }) => ({ address: key, count })),
      distinctSenders: report.distinctSenders,
      bytes: report.bytes,
      seconds: rounded(report.seconds),
      ...readers(report),
      largestConversations: report.largestConversations.map(({ subject, messages }) => ({ subject, messages })),
      days: report.days.map(({ key, count }) => ({ day: key, count })),
      weekdays: report.weekdays,
      hours: report.hours,
      folders: report.folders.map(({ name, messages, withAttachments }) => ({ name, messages, withAttachments })),
      failures: report.failures,
    },
    null,
    2,
  )
}

/** The readers by the name of what they were. */
function readers({ threads: count, processes, perThread: perReader, oneThreadSeconds }: Report): object {
  const alone = oneThreadSeconds === null ? null : rounded(oneThreadSeconds)
  return processes
    ? { processes: count, perProcess: perReader, oneProcessSeconds: alone }
    : { threads: count, perThread: perReader, oneThreadSeconds: alone }
}

const rounded = (seconds: number) => Math.round(seconds * 1000) / 1000
