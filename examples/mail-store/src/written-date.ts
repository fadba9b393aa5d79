/**
 * The Date field of a message (RFC 5322, with the obsolete forms that old mail has). Day and hour are those of the
 * sender's own clock, so that they don't depend on the time zone of the machine that reads them.
 */

export interface WrittenDate {
  /** The instant, as an ISO string in UTC. */
  instant: string
  /** The sender's day, `YYYY-MM-DD`. */
  day: string
  /** The sender's day of the week: 0 is Monday, 6 is Sunday. */
  weekday: number
  /** The sender's hour, 0 to 23. */
  hour: number
}

/** What is longer is no date, but could take long to find out. */
const longest = 200

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const zoneHours: Record<string, number> = { edt: -4, est: -5, cdt: -5, cst: -6, mdt: -6, mst: -7, pdt: -7, pst: -8 }

const clock = String.raw`(?<hour>\d{1,2}):(?<minute>\d{2})(?::(?<second>\d{2})(?:\.\d+)?)?`
const zone = String.raw`(?<zone>[+-]\d{2}:?\d{2}|[A-Za-z]{1,5})`
/** `Tue, 1 Jul 2003 10:52:37 +0200` */
const mail = new RegExp(
  String.raw`^(?:[A-Za-z]+(?:,\s*|\s+))?(?<day>\d{1,2})[\s-]+(?<month>[A-Za-z]{3})[A-Za-z]*\.?,?[\s-]+(?<year>\d{2,4}),?\s+${clock}(?:\s*${zone})?`,
)
/** `Tue Jul  1 10:52:37 2003 +0200` and `Tue Jul  1 10:52:37 CEST 2003`, as asctime and date(1) write it */
const asctime = new RegExp(
  String.raw`^[A-Za-z]+,?\s+(?<month>[A-Za-z]{3})[A-Za-z]*\s+(?<day>\d{1,2})\s+${clock}(?:\s+[A-Za-z]{1,5})?\s+(?<year>\d{4})(?:\s+${zone})?`,
)

export function parseDate(field: string): WrittenDate | null {
  const text = withoutComments(field.slice(0, longest)).trim()
  const parts = (mail.exec(text) ?? asctime.exec(text))?.groups
  if (!parts) return null
  const month = months.indexOf(parts.month.toLowerCase())
  const [day, hour, minute, second] = [parts.day, parts.hour, parts.minute, parts.second ?? 0].map(Number) as [
    number,
    number,
    number,
    number,
  ]
  if (month < 0 || hour > 23 || minute > 59 || second > 60) return null
  const local = new Date(Date.UTC(fullYear(parts.year), month, day, hour, minute, Math.min(second, 59)))
  if (local.getUTCDate() !== day) return null
  return {
    instant: new Date(local.getTime() - offsetMinutes(parts.zone) * 60_000).toISOString(),
    day: local.toISOString().slice(0, 10),
    weekday: (local.getUTCDay() + 6) % 7,
    hour,
  }
}

/** Two and three digits as RFC 5322, section 4.3, reads them. */
function fullYear(digits: string): number {
  const year = Number(digits)
  if (digits.length === 2) return year < 50 ? 2000 + year : 1900 + year
  return digits.length === 3 ? 1900 + year : year
}

/** Unknown names of zones count as UTC, as RFC 5322 asks. */
function offsetMinutes(zone: string | undefined): number {
  const digits = zone && /^([+-])(\d{2}):?(\d{2})$/.exec(zone)
  if (!digits) return (zoneHours[zone?.toLowerCase() ?? ''] ?? 0) * 60
  const minutes = Number(digits[2]) * 60 + Number(digits[3])
  return digits[1] === '-' ? -minutes : minutes
}

function withoutComments(text: string): string {
  if (!text.includes('(')) return text
  const shorter = text.replace(/\([^()]*\)/g, ' ')
  return shorter === text ? text : withoutComments(shorter)
}
