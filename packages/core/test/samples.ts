/** Values that two threads make alike, each of another size. */
export function sample(round: number): unknown {
  const shared = { round, text: 'ü'.repeat(round % 300) }
  return {
    id: round,
    name: `sample ${round}`,
    long: 'x'.repeat((round * 37) % 9000),
    wide: '文'.repeat(round % 70),
    map: new Map<unknown, unknown>([
      ['shared', shared],
      [round, new Date(round)],
    ]),
    set: new Set([shared, -0, BigInt(round) ** 9n]),
    bytes: new Uint8Array(round % 500).fill(round),
    rows: Array.from({ length: round % 40 }, (_, row) => ({ row, half: row / 2, even: row % 2 === 0 })),
  }
}
