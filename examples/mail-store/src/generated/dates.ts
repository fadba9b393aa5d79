const days = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

const two = (value: number) => String(value).padStart(2, '0')

/** A Date field's value: what the clock of a person so many minutes east of Greenwich shows. */
export function mailDate(seconds: number, zone: number): string {
  const { weekday, day, month, time, year } = fields(seconds + zone * 60)
  const offset = `${zone < 0 ? '-' : '+'}${two(Math.floor(Math.abs(zone) / 60))}${two(Math.abs(zone) % 60)}`
  return `${weekday}, ${day} ${month} ${year} ${time} ${offset}`
}

/** The date of a separator line, in UTC. */
export function separatorDate(seconds: number): string {
  const { weekday, day, month, time, year } = fields(seconds)
  return `${weekday} ${month} ${String(day).padStart(2)} ${time} ${year}`
}

export function hourOf(seconds: number, zone: number): number {
  return new Date((seconds + zone * 60) * 1000).getUTCHours()
}

function fields(seconds: number) {
  const date = new Date(seconds * 1000)
  return {
    weekday: days[(date.getUTCDay() + 6) % 7],
    day: date.getUTCDate(),
    month: months[date.getUTCMonth()],
    year: date.getUTCFullYear(),
    time: `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`,
  }
}
