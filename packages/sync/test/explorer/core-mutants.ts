/** Algorithms with one line broken: the explorer must find each, or its scenarios prove nothing. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'

export interface CoreMutant {
  /** What is broken. */
  readonly name: string
  /** A part of the compiled module, and what stands there instead. */
  readonly line: string
  readonly instead: string
  /** The scenario that finds it out. */
  readonly foundBy: string
}

const dist = new URL('../../dist/', import.meta.url)

/** A compiled module of the package with a line broken; what it imports is whole. */
export async function loadMutant<T>(module: string, { name, line, instead }: CoreMutant): Promise<T> {
  const folder = new URL(`../mutants/${module}-${name.replaceAll(/\W+/g, '-')}/`, import.meta.url)
  mkdirSync(folder, { recursive: true })
  const text = readFileSync(new URL(`${module}.js`, dist), 'utf8')
  if (text.split(line).length !== 2) throw new Error(`${module}.js has not one place to break for "${name}".`)
  const file = new URL(`${module}.js`, folder)
  writeFileSync(file, text.replace(line, () => instead).replaceAll(" from './", ` from '${dist.href}`))
  return (await import(file.href)) as T
}
