/** What becomes of what a sink throws. */

/** How the errors of one connection are told: to its handler, or to the console, also where that fails. */
export function reportTo(
  onError: ((error: unknown) => unknown) | undefined,
  events: ReadonlySet<string>,
): (error: unknown) => void {
  const toConsole = (thrown: unknown) => {
    console.error(`An advise sink for ${[...events].join(', ')} threw:`, thrown)
  }
  return (error) => {
    if (onError) void (async () => onError(error))().catch(toConsole)
    else toConsole(error)
  }
}
