/** A module that is called much, and then not at all. */
export const echo = <T>(value: T): T => value

/** Takes its time. */
export const later = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds))

/** Milliseconds of processor time, of all threads of this process. */
export function processorTime(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
