import { stripVTControlCharacters } from 'node:util'
import { Progress } from '@flatshare/progress'
import { drawProgress } from '@flatshare/progress/terminal'
import { describe, expect, it } from 'vitest'
import { run } from './start-thread.js'

function screen(isTTY = true) {
  const written: string[] = []
  const write = (text: string, done?: unknown) => {
    written.push(text)
    if (typeof done === 'function') done()
    return true
  }
  const raw = () => written.join('')
  return { isTTY, columns: 100, write, raw, text: () => stripVTControlCharacters(raw()) }
}

describe('S38 a terminal bar', () => {
  it('is drawn from the reports of other threads, ends with the progress and shows its last state', async () => {
    const progress = new Progress({ total: 2000, label: 'Indexing' })
    const stream = screen()
    const drawing = drawProgress(progress, { stream, interval: 1 })
    await Promise.all([1, 2].map(() => run(progress, { do: 'advance', times: 1000 })))
    await drawing.finished
    expect(stream.text()).toMatch(/Indexing .*100% 2,000\/2,000/)
    expect(stream.text().endsWith('\n')).toBe(true)
  })

  it('never goes back over lines that were printed while it was drawn', async () => {
    const progress = new Progress({ total: 2 })
    const stream = screen()
    const drawing = drawProgress(progress, { stream, interval: 1 })
    progress.advance()
    stream.write('a line of the program\n')
    progress.advance()
    await drawing.finished
    // Save and restore of the cursor, in both notations.
    for (const code of ['\u001b7', '\u001b8', '\u001b[s', '\u001b[u']) expect(stream.raw()).not.toContain(code)
  })

  it('is silent where there is no terminal', async () => {
    const progress = new Progress({ total: 5 })
    const stream = screen(false)
    await using drawing = drawProgress(progress, { stream })
    progress.advance(5)
    await drawing.finished
    expect(stream.text()).toBe('')
  })

  it('says that it was cancelled', async () => {
    const progress = new Progress({ total: 4, label: 'Copying' })
    const stream = screen()
    const drawing = drawProgress(progress, { stream, interval: 1 })
    progress.advance()
    progress.cancel()
    await drawing.finished
    expect(stream.text()).toMatch(/Copying .*1\/4 cancelled/)
  })

  it('can be stopped, and leaves the bar with what was done', async () => {
    const progress = new Progress({ total: 4, label: 'Copying' })
    const stream = screen()
    {
      await using _ = drawProgress(progress, { stream, format: '<{label}|{items}>' })
      progress.advance(3)
    }
    expect(stream.text()).toContain('<Copying|3/4>')
    const length = stream.text().length
    progress.advance()
    expect(stream.text().length).toBe(length)
  })

  it('draws several, one above the other', async () => {
    const progress = new Progress({ total: 20, label: 'All' })
    const parts = ['Inbox', 'Sent'].map((label) => progress.child({ items: 10, label }))
    const stream = screen()
    const drawing = drawProgress([progress, ...parts], { stream, interval: 1 })
    for (const part of parts) part.advance(10)
    await drawing.finished
    for (const label of ['All', 'Inbox', 'Sent']) expect(stream.text()).toMatch(new RegExp(`${label} .*100%`))
  })
})
