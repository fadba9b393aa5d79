const chosen = new WeakSet<object>()
/** Whether there is any: each object that crosses is asked for, and most programs choose none. */
let anyChosen = false

/**
 * Says that an undecorated object (or function) crosses by reference, not as a copy: other threads get a
 * proxy, and its methods run on this thread, as an apartment-threaded object's do.
 *
 * It says so of the object, for good, and returns the same object.
 *
 * @throws TypeError for anything but an object or a function.
 * @example
 * await remote.subscribe(byReference(new Listener()))
 */
export function byReference<T extends object>(x: T): T {
  if ((typeof x !== 'object' && typeof x !== 'function') || x === null) {
    throw new TypeError('byReference takes an object or a function: other values have no identity to refer to.')
  }
  chosen.add(x)
  anyChosen = true
  return x
}

const kinds: Array<(x: object) => boolean> = []

/** For the packages of Flatshare: undecorated objects that `test` recognises cross by reference without a word. */
export function crossByReference(test: (x: object) => boolean): void {
  kinds.push(test)
}

export function isByReference(x: object): boolean {
  if (anyChosen && chosen.has(x)) return true
  for (let i = 0; i < kinds.length; i++) if (kinds[i]!(x)) return true
  return false
}

export function byReferenceModel(x: object): 'apartment' | undefined {
  return chosen.has(x) ? 'apartment' : undefined
}
