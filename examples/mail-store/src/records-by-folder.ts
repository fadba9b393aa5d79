import { dayName, noDay } from './calendar-day.js'
import type { MessageRecord } from './message-record.js'

/** Messages by the name of the folder that they belong in: their year. */
export function recordsByFolder(records: Iterable<MessageRecord>): Map<string, MessageRecord[]> {
  const folders = new Map<string, MessageRecord[]>()
  const ofDay = new Map<number, MessageRecord[]>()
  for (const record of records) {
    const { day } = record
    let messages = ofDay.get(day)
    if (!messages) {
      const name = day === noDay ? 'undated' : dayName(day).slice(0, 4)
      messages = folders.get(name) ?? []
      folders.set(name, messages)
      ofDay.set(day, messages)
    }
    messages.push(record)
  }
  return folders
}
