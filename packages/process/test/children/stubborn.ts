/** A process that doesn't want to end. */
process.on('SIGTERM', () => console.log('no'))
setInterval(() => {}, 60_000)

export const pid = () => process.pid
export const slow = (milliseconds: number) => new Promise((resolve) => setTimeout(() => resolve('done'), milliseconds))
export const never = () => new Promise<never>(() => {})
export const block = () => {
  for (;;);
}
