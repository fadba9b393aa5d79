// eslint-disable-next-line @typescript-eslint/only-throw-error -- what can't cross must be told all the same
throw Symbol('no reason')
