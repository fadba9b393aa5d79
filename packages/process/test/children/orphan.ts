/** What keeps a process alive, and what keeps it busy. */
setInterval(() => {}, 60_000)
export const isThere = () => true
export const compute = (): void => {
  console.log('computing')
  for (;;);
}
