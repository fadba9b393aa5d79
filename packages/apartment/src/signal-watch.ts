/**
 * Hearing of a signal many times over: one listener for each signal, however many calls carry it at once (runtimes take
 * more than ten for a leak, and say so), and none once they have settled.
 *
 * The latest hears first: of calls that are given up together, each serves whom it was made to while that goes on, and none
 * may begin there behind one that never will.
 */
interface Watched {
  readonly callbacks: Set<() => void>
  readonly listener: () => void
}

const watched = new WeakMap<AbortSignal, Watched>()

/** Calls back when the signal, which hasn't fired yet, does. Gives how to stop. */
export function watchSignal(signal: AbortSignal, callback: () => void): () => void {
  const { callbacks } = watched.get(signal) ?? watch(signal)
  callbacks.add(callback)
  return () => {
    if (!callbacks.delete(callback) || callbacks.size > 0) return
    const now = watched.get(signal)
    if (now?.callbacks !== callbacks) return
    signal.removeEventListener('abort', now.listener)
    watched.delete(signal)
  }
}

function watch(signal: AbortSignal): Watched {
  const callbacks = new Set<() => void>()
  const listener = () => {
    watched.delete(signal)
    for (const callback of [...callbacks].reverse()) if (callbacks.delete(callback)) callback()
  }
  const entry = { callbacks, listener }
  watched.set(signal, entry)
  signal.addEventListener('abort', listener, { once: true })
  return entry
}
