import { number, table } from '../terminal-text.js'
import type { CopiedFolder } from './folders-table.js'

/** What was copied, and what wasn't. */
export interface CopyReport {
  /** What was copied from, as one would say it. */
  source: string
  target: string
  /** Ctrl-C ended it early: what was copied by then is whole, and there may be more. */
  cancelled: boolean
  /** Messages that could not be parsed: they are in no folder. */
  failed: number
  folders: CopiedFolder[]
  seconds: number
}

/** The report as text for a terminal. */
export function summarizeCopy({ source, target, cancelled, failed, folders, seconds }: CopyReport): string {
  const { messages, copied, bytes, files } = totals(folders)
  const lines = [
    `${source}, copied to ${target}${cancelled ? ' (cancelled: what was done until then)' : ''}`,
    '',
    ...table(
      folders.map((folder) => [
        folder.name,
        `${number(folder.copied)} of ${number(folder.messages)} ${folder.copied < folder.messages ? '(partly)' : '(whole)'}`,
      ]),
    ),
    '',
    `${number(copied)} of ${number(messages)} messages, ${(bytes / 1e6).toFixed(1)} MB, files: ${number(files)}, ${seconds.toFixed(2)} s`,
  ]
  if (failed > 0) lines.push(`${number(failed)} could not be parsed, and are in no folder`)
  return lines.join('\n')
}

/** The report as one JSON document. */
export function copyToJson(report: CopyReport): string {
  const { source, target, cancelled, failed, folders, seconds } = report
  const { messages, copied, bytes } = totals(folders)
  const rounded = Math.round(seconds * 1000) / 1000
  return JSON.stringify(
    { source, target, cancelled, failed, messages, copied, bytes, seconds: rounded, folders },
    null,
    2,
  )
}

function totals(folders: readonly CopiedFolder[]) {
  const sum = (count: (folder: CopiedFolder) => number) => folders.reduce((all, folder) => all + count(folder), 0)
  return {
    messages: sum((folder) => folder.messages),
    copied: sum((folder) => folder.copied),
    bytes: sum((folder) => folder.bytes),
    files: sum((folder) => folder.files.length),
  }
}
