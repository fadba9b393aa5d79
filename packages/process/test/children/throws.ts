throw new RangeError('no such index')

export {}
