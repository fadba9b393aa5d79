/** Doesn't serve, and doesn't end. */
setInterval(() => {}, 1000)
