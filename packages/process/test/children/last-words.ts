/** Gives something long, and exits in the same turn in which it is sent. */
export const lastWords = (length: number) => {
  process.nextTick(() => queueMicrotask(() => process.nextTick(() => process.exit(0))))
  return 'w'.repeat(length)
}
