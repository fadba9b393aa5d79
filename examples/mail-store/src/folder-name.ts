import type { MessageRecord } from './message-record.js'

/** The name of the folder that a message belongs in: its year. */
export function folderOf({ day }: Pick<MessageRecord, 'day'>): string {
  return day === '' ? 'undated' : day.slice(0, 4)
}
