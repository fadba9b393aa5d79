/** How Flatshare's objects show themselves to `console.log` and `util.inspect`, where those ask. */
export const inspectSymbol = Symbol.for('nodejs.util.inspect.custom')

/** As an object of that name with these facts: texts that stand alone, or a fact by its name. */
export function show(name: string, facts: ReadonlyArray<string | [name: string, value: unknown]>): string {
  const shown = facts.map((fact) => (typeof fact === 'string' ? fact : `${fact[0]}: ${shortly(fact[1])}`))
  return `${name} { ${shown.join(', ')} }`
}

function shortly(x: unknown): string {
  if (typeof x === 'string') return JSON.stringify(x)
  return typeof x === 'object' && x !== null ? Object.prototype.toString.call(x).slice(8, -1) : String(x)
}
