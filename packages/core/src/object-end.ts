/** Telling packages of the same floor that an object was disposed of on this thread. */

const listeners: Array<(object: object) => void> = []

/** Calls `listener` for each object that is disposed of on this thread, after its own method, while it can still be used. */
export function onObjectEnd(listener: (object: object) => void): void {
  listeners.push(listener)
}

export function objectEnded(object: object): void {
  for (const listener of listeners) listener(object)
}
