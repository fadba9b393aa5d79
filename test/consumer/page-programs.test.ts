// The pages of docs/: every program of ours that they show compiles and prints what the page says.
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type PageProgram, programsIn } from './page-programs.js'

const minutes = 60_000
const root = fileURLToPath(new URL('../../..', import.meta.url))
const run = promisify(execFile)

/** Inside this workspace's package of tests, so that our packages are found as a reader's program finds them. */
const work = join(root, 'test/dist-test/pages')

const pages = readdirSync(join(root, 'docs')).filter((file) => file.endsWith('.md'))
const programs = pages.flatMap((page) =>
  programsIn(readFileSync(join(root, 'docs', page), 'utf8').replaceAll('\r\n', '\n')).map(
    (program, i): [title: string, folder: string, program: PageProgram] => [
      `${page}, ${program.heading}, ${i + 1}`,
      join(work, page.replace('.md', ''), String(i + 1)),
      program,
    ],
  ),
)

test('programs are found with their files and output, and theirs are passed over', () => {
  const fence = (language: string, text: string) => `\`\`\`${language}\n${text}\n\`\`\`\n`
  const ours = `${fence('ts', '// a.ts\na()')}and\n${fence('ts', '// b.ts\nb()')}${fence('text', 'done')}`
  expect(
    programsIn(`# A\n${fence('js', 'theirs()')}## B\n${ours}${fence('ts', '// a.ts\n# c')}${fence('text', '1')}`),
  ).toEqual([
    {
      heading: 'B',
      files: new Map([
        ['a.ts', '// a.ts\na()\n'],
        ['b.ts', '// b.ts\nb()\n'],
      ]),
      program: 'a.ts',
      output: 'done\n',
    },
    { heading: 'B', files: new Map([['a.ts', '// a.ts\n# c\n']]), program: 'a.ts', output: '1\n' },
  ])
  expect(() => programsIn(`# A\n${fence('ts', 'a()')}`)).toThrow('"A": a block has no name')
  expect(() => programsIn(`# A\n${fence('ts', '// a.ts\na()')}`)).toThrow('"A": a.ts has no output')
})

describe('the programs of docs/', () => {
  beforeAll(async () => {
    await rm(work, { recursive: true, force: true })
    const files: string[] = []
    for (const [, folder, program] of programs) {
      await mkdir(folder, { recursive: true })
      for (const [file, text] of program.files) {
        files.push(join(folder, file))
        await writeFile(join(folder, file), text)
      }
    }
    const compilerOptions = {
      target: 'ES2022',
      module: 'nodenext',
      lib: ['ES2023', 'ESNext.Disposable', 'ESNext.Decorators'],
      strict: true,
      types: ['node'],
      typeRoots: [join(root, 'node_modules/@types')],
      skipLibCheck: true,
    }
    await writeFile(join(work, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
    await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc')], { cwd: work }).catch((error) => {
      throw new Error(`The programs do not compile:\n${(error as { stdout: string }).stdout}`, { cause: error })
    })
  }, 2 * minutes)

  afterAll(() => rm(work, { recursive: true, force: true }))

  test.each(programs)(
    '%s',
    async (_title, folder, { program, output }) => {
      const { stdout } = await run(process.execPath, [program.replace(/\.ts$/, '.js')], {
        cwd: folder,
        timeout: minutes,
      })
      expect(stdout).toBe(output)
    },
    minutes,
  )
})
