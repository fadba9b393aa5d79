import { type Fence, fencesIn, nameOf, type ReadmeExample } from './readme-example.js'

/** A program of a page, and the heading that it stands under. */
export interface PageProgram extends ReadmeExample {
  readonly heading: string
}

/**
 * The programs of a page that says how things are done elsewhere and here: what is elsewhere stands in ` ```js `
 * blocks, which are passed over; ours in ` ```ts ` blocks, each named by its first line, `// name.ts`. Those that follow
 * each other are one program, the first is what is run, and the ` ```text ` block after them is its output.
 *
 * @throws Error for a block of ours without a name, or without an output: it would never be run.
 */
export function programsIn(markdown: string): PageProgram[] {
  const programs: PageProgram[] = []
  for (const [heading, text] of sectionsOf(markdown)) {
    let files = new Map<string, string>()
    for (const fence of fencesIn(text)) {
      if (fence.language === 'ts') files.set(named(fence, heading), fence.text)
      else if (fence.language === 'text' && files.size > 0) {
        programs.push({ heading, files, program: [...files.keys()][0]!, output: fence.text })
        files = new Map()
      }
    }
    if (files.size > 0) throw new Error(`"${heading}": ${[...files.keys()].join(', ')} has no output after it.`)
  }
  return programs
}

function named(fence: Fence, heading: string): string {
  const name = nameOf(fence)
  if (name === undefined) throw new Error(`"${heading}": a block has no name in its first line: ${fence.text}`)
  return name
}

/** Each heading with the text up to the next one; lines inside code blocks are no headings. */
function sectionsOf(markdown: string): Array<[heading: string, text: string]> {
  const sections: Array<[string, string]> = [['', '']]
  let inCode = false
  for (const line of markdown.split('\n')) {
    if (line.startsWith('```')) inCode = !inCode
    const heading = inCode ? undefined : line.match(/^#+ (.*)$/)?.[1]
    if (heading !== undefined) sections.push([heading, ''])
    sections.at(-1)![1] += `${line}\n`
  }
  return sections
}
