/** How many letters must change to make the one name the other. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    }
    row = next
  }
  return row[b.length]!
}

const LONGEST = 64

/** Of the names, those that may have been meant, the likeliest first; at most five. */
export function similarNames(wanted: string, names: readonly string[]): string[] {
  const likeness = (name: string) => {
    const [a, b] = [wanted.toLowerCase(), name.toLowerCase()]
    if (Math.min(a.length, b.length) > 2 && (a.includes(b) || b.includes(a))) return 1
    return Math.max(a.length, b.length) > LONGEST ? Infinity : distance(a, b)
  }
  return names
    .map((name) => ({ name, off: likeness(name) }))
    .filter(({ off }) => off <= Math.max(1, wanted.length / 3))
    .sort((a, b) => a.off - b.off)
    .slice(0, 5)
    .map(({ name }) => name)
}
