// Something keeps it alive.
setInterval(() => {}, 60_000)
await new Promise(() => {})

export {}
