/** A program that a README shows, as a reader would copy it. */
export interface ReadmeExample {
  /** File name to source text. */
  readonly files: ReadonlyMap<string, string>
  /** Which of the files to run; the others are what it opens (workers, say). */
  readonly program: string
  /** What the program prints, where the README says so. */
  readonly output: string | undefined
}

/**
 * The first program under a heading of a README, or in all of it when no heading is given.
 *
 * A ` ```ts ` or ` ```js ` block whose first line is `// name.ts` becomes that file, and so does each named block that
 * follows; a block without a name is a whole program. A ` ```text ` block directly after the code is its output.
 */
export function exampleIn(markdown: string, heading?: string): ReadmeExample | undefined {
  const fences = fencesIn(heading === undefined ? markdown : sectionOf(markdown, heading))
  const first = fences.findIndex(isCode)
  if (first < 0) return undefined

  const files = new Map<string, string>()
  let output: string | undefined
  for (const fence of fences.slice(first)) {
    const belongs = files.size === 0 || nameOf(fence) !== undefined
    if (isCode(fence) && belongs) files.set(nameOf(fence) ?? `example.${fence.language}`, fence.text)
    else if (fence.language === 'text' && output === undefined) output = fence.text
    else break
  }
  const [program] = files.keys()
  return { files, program: program!, output }
}

/** A block of code. */
export interface Fence {
  language: string
  text: string
}

const isCode = ({ language }: Fence) => language === 'ts' || language === 'js'

/** The file that a block says it is. */
export const nameOf = (fence: Fence) => (isCode(fence) ? fence.text.match(/^\/\/ ([\w.-]+\.[tj]s)\n/)?.[1] : undefined)

export const fencesIn = (markdown: string): Fence[] =>
  [...markdown.matchAll(/^```(\w*)[^\n]*\n(.*?)^```[ \t]*$/gms)].map(([, language, text]) => ({
    language: language!,
    text: text!,
  }))

/** From a second-level heading to the next one; lines inside code blocks are no headings. */
function sectionOf(markdown: string, heading: string): string {
  const lines: string[] = []
  let inside = false
  let inCode = false
  for (const line of markdown.split('\n')) {
    if (line.startsWith('```')) inCode = !inCode
    if (!inCode && line.startsWith('## ')) inside = line.slice(3).trim() === heading
    if (inside) lines.push(line)
  }
  return lines.join('\n')
}
