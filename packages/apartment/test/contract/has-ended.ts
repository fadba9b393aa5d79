/** The clause of a `DisconnectedError` that says that the thread of that name has ended, or how its process has. */
export const hasEnded = (name: string): string =>
  `(?:the thread "${name}" has ended|` +
  `the process \\d+ of "${name}" (?:has exited with code \\d+|was ended by SIG[A-Z]+))`
