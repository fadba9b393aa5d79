import { expect, test } from 'vitest'
import { exampleIn } from './readme-example.js'

const fence = (language: string, text: string) => `\`\`\`${language}\n${text}\n\`\`\`\n`

test('a block without a name is the whole program', () => {
  const markdown = `# A\n${fence('ts', 'no')}\n## Example\n\nSay:\n${fence('ts', 'one()\n## not a heading')}${fence('ts', 'two()')}`
  expect(exampleIn(markdown, 'Example')).toEqual({
    files: new Map([['example.ts', 'one()\n## not a heading\n']]),
    program: 'example.ts',
    output: undefined,
  })
})

test('named blocks become files, the first is the program, and the text block its output', () => {
  const markdown = `## Example\n${fence('ts', '// main.ts\nmain()')}It prints:\n${fence('text', 'done')}${fence('ts', '// worker.ts\nserve()')}## More\n${fence('ts', 'more()')}`
  expect(exampleIn(markdown, 'Example')).toEqual({
    files: new Map([
      ['main.ts', '// main.ts\nmain()\n'],
      ['worker.ts', '// worker.ts\nserve()\n'],
    ]),
    program: 'main.ts',
    output: 'done\n',
  })
})

test('other languages before the code are passed over, after it they end the example', () => {
  const markdown = `# A\n${fence('sh', 'npm install')}${fence('js', 'run()')}${fence('sh', 'node .')}${fence('text', 'not its output')}`
  expect(exampleIn(markdown)).toEqual({
    files: new Map([['example.js', 'run()\n']]),
    program: 'example.js',
    output: undefined,
  })
})

test('a heading without code, or no heading, gives nothing', () => {
  expect(exampleIn('## Example\nNone yet.\n## Next\n```ts\nx\n```\n', 'Example')).toBeUndefined()
  expect(exampleIn('# A\n', 'Example')).toBeUndefined()
})
