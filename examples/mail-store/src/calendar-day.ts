/** Days as numbers, which take four bytes of a record and no memory of their own. */

/** Stands for a date that isn't there. */
export const noDay = -(2 ** 31)

const dayMs = 24 * 60 * 60 * 1000

/** Days since 1970 of what is written `YYYY-MM-DD`. */
export const dayNumber = (day: string | null): number => (day === null ? noDay : Date.parse(day) / dayMs)

export const dayName = (day: number): string => new Date(day * dayMs).toISOString().slice(0, 10)
