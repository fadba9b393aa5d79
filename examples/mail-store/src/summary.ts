import type { Report } from './report.js'
import { number, printable, shortened, table } from './terminal-text.js'

const dayNames = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']
const failuresShown = 5
const listed = 5
const barWidth = 40

/** The report as text for a terminal, in colour only where that is asked for. */
export function summarize(report: Report, colour = false): string {
  const title = (text: string) => (colour ? `\u001b[1m${text}\u001b[22m` : text)
  const section = (name: string, lines: string[]) =>
    lines.length > 0 ? ['', title(name), ...lines.map((line) => `  ${line}`)] : []
  return [
    title(report.source) + (report.cancelled ? ' (cancelled: what was done until then)' : ''),
    '',
    ...totals(report),
    ...section('Failed', failures(report)),
    ...section(
      'Longest conversations',
      counted(report.largestConversations.map((c) => [c.subject || '(no subject)', c.messages])),
    ),
    ...section('Busiest senders', counted(report.senders.map(({ key, count }) => [key, count]))),
    ...section('Busiest days', counted(report.days.map(({ key, count }) => [key, count]))),
    ...section('Folders', folders(report)),
    ...section('Largest with attachments', largest(report)),
    ...section(
      'By weekday',
      histogram(report.weekdays, (day) => dayNames[day]),
    ),
    ...section(
      'By hour',
      histogram(report.hours, (hour) => `${hour}`.padStart(2, '0')),
    ),
    ...section('Work', work(report)),
  ].join('\n')
}

function totals(report: Report): string[] {
  return table([
    ['messages', number(report.messages)],
    ['parsed', number(report.parsed)],
    ['failed', number(report.failed)],
    ['conversations', number(report.conversations)],
    ['senders', number(report.distinctSenders)],
    ['megabytes', (report.bytes / 1e6).toFixed(1)],
  ])
}

function failures({ failures, failed }: Report): string[] {
  const lines = failures.slice(0, failuresShown).map(({ offset, reason }) => `at byte ${offset}: ${printable(reason)}`)
  if (failed > lines.length && lines.length > 0) lines.push(`and ${number(failed - lines.length)} more`)
  return lines
}

function folders({ folders }: Report): string[] {
  return table(
    folders.map(({ name, messages, withAttachments }) => [
      name,
      `${number(messages)}, ${number(withAttachments)} with attachments`,
    ]),
  )
}

function largest({ folders }: Report): string[] {
  const rows = folders.flatMap((folder) => folder.largest)
  return table(rows.map(({ subject, size }) => [shortened(printable(subject || '(no subject)'), 60), number(size)]))
}

function work(report: Report): string[] {
  const reader = report.processes ? 'process' : 'thread'
  const lines = histogram(report.perThread, (index) => `${reader} ${index + 1}`)
  const rate = report.seconds > 0 ? `, ${number(Math.round(report.messages / report.seconds))} messages a second` : ''
  lines.push(`${readersLabel(report, 'one')}: ${report.seconds.toFixed(2)} s${rate}`)
  if (report.oneThreadSeconds !== null) {
    const gain = report.seconds > 0 ? `: ${(report.oneThreadSeconds / report.seconds).toFixed(2)} times as long` : ''
    lines.push(`one ${reader} alone: ${report.oneThreadSeconds.toFixed(2)} s${gain}`)
  }
  return lines
}

/** How many readers, as one would say it. */
export function readersLabel(
  { threads, processes }: Pick<Report, 'threads' | 'processes'>,
  one: 'one' | 'One',
): string {
  if (threads === 1) return `${one} ${processes ? 'process' : 'thread'}`
  return `${threads} ${processes ? 'processes' : 'threads'}`
}

function counted(rows: [string, number][]): string[] {
  return table(rows.slice(0, listed).map(([name, count]) => [shortened(printable(name), 60), number(count)]))
}

function histogram(counts: readonly number[], label: (index: number) => string): string[] {
  const most = Math.max(...counts, 1)
  const width = number(most).length
  return counts.map((count, index) =>
    `${label(index)}  ${number(count).padStart(width)}  ${'█'.repeat(Math.round((count / most) * barWidth))}`.trimEnd(),
  )
}
