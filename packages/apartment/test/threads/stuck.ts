/** Waits at its top level, for ever. */
setInterval(() => {}, 1000)
await new Promise(() => {})
