/** A key and how often it was seen. */
export interface Tallied {
  key: string
  count: number
}

/** The keys seen most often; among equals the order is that of their code units, the same in every locale. */
export function mostSeen(counts: Iterable<readonly [string, number]>, limit: number): Tallied[] {
  return Array.from(counts, ([key, count]) => ({ key, count }))
    .sort((a, b) => b.count - a.count || (a.key < b.key ? -1 : 1))
    .slice(0, limit)
}

/** How often each key comes. */
export function countEach<K>(keys: Iterable<K>): Map<K, number> {
  const counts = new Map<K, number>()
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1)
  return counts
}
