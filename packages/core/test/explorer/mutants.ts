/** The algorithms with one line broken: the explorer must find each, or its scenarios prove nothing. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'

export interface Mutant {
  readonly module: 'inbox' | 'blocked-calls'
  /** What is broken. */
  readonly name: string
  /** A part of the compiled module, and what stands there instead. */
  readonly line: string
  readonly instead: string
  /** The scenario that finds it out. */
  readonly foundBy: string
}

const dist = new URL('../../dist/', import.meta.url)

/** The compiled module with a line broken; what it imports is whole. */
export async function loadMutant({ module, name, line, instead }: Mutant): Promise<object> {
  const folder = new URL(`../mutants/${module}-${name.replaceAll(/\W+/g, '-')}/`, import.meta.url)
  mkdirSync(folder, { recursive: true })
  const text = readFileSync(new URL(`${module}.js`, dist), 'utf8')
  if (text.split(line).length !== 2) throw new Error(`${module}.js has not one place to break for "${name}".`)
  const file = new URL(`${module}.js`, folder)
  writeFileSync(file, text.replace(line, () => instead).replaceAll(" from './", ` from '${dist.href}`))
  return (await import(file.href)) as object
}

export const mutants: readonly Mutant[] = [
  {
    module: 'inbox',
    name: 'who posts looks before he counts',
    line: 'memory.add(posts, 1);\n        if (memory.parkedAt(id) === posts)\n            memory.notify(posts);',
    instead:
      'const parked = memory.parkedAt(id) === posts;\n memory.add(posts, 1);\n if (parked) memory.notify(posts);',
    foundBy: 'a call is answered',
  },
  {
    module: 'inbox',
    name: 'who posts to a thread that is awake counts nothing',
    line: 'memory.add(posts, 1);\n        if (memory.parkedAt(id) === posts)\n            memory.notify(posts);',
    instead: 'if (memory.parkedAt(id) === posts) {\n memory.add(posts, 1);\n memory.notify(posts);\n }',
    foundBy: 'a call is answered',
  },
  {
    module: 'inbox',
    name: 'who posts wakes nobody',
    line: 'memory.notify(posts);',
    instead: ';',
    foundBy: 'two threads post to one that blocks',
  },
  {
    module: 'inbox',
    name: 'the count is read after the look',
    line: 'const seen = memory.load(posts);\n            if (receive())\n                return true;',
    instead: 'if (receive()) return true;\n const seen = memory.load(posts);',
    foundBy: 'two threads post to one that blocks',
  },
  {
    module: 'inbox',
    name: 'the end of a thread is overlooked, the count being read after the look',
    line: 'const seen = memory.load(posts);\n            if (receive())\n                return true;',
    instead: 'if (receive()) return true;\n const seen = memory.load(posts);',
    foundBy: 'the called thread dies before it answers',
  },
  {
    module: 'blocked-calls',
    name: 'a thread that has something to receive counts as waiting',
    line: '|| load(memory.seenWord(id)) !== load(posts)',
    instead: '',
    foundBy: 'a call leads back to its caller',
  },
  {
    module: 'blocked-calls',
    name: 'what was seen once is believed',
    line: 'if (!cycle?.every(stands))',
    instead: 'if (!cycle)',
    foundBy: 'a call leads back to its caller',
  },
  {
    module: 'blocked-calls',
    name: 'who finds the cycle does not tell the youngest',
    line: 'memory.posted(youngest);',
    instead: ';',
    foundBy: 'two threads call each other crosswise',
  },
  {
    module: 'blocked-calls',
    name: 'whoever finds the cycle breaks it',
    line: 'if (youngest !== memory.ownThreadId()) {',
    instead: 'if (false) {',
    foundBy: 'two threads call each other crosswise',
  },
]
