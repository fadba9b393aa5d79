/** What is still to be told before this thread, or a link of it, ends as it means to. What is killed says nothing more. */
const tellers = new Set<() => void>()

/** Has `tell` called before this thread ends or lets go of another one; gives how to stop. */
export function onLastWords(tell: () => void): () => void {
  tellers.add(tell)
  return () => void tellers.delete(tell)
}

/** Tells now what is still to be told. */
export function sayLastWords(): void {
  for (const tell of tellers) tell()
}
