import { describe, expect, it } from 'vitest'
import { Patience } from '../dist/patience.js'

/** How many occasions are let pass until the next that is tried. */
function passed(patience: Patience): number {
  let count = 0
  while (!patience.tries()) count++
  return count
}

describe('waiting awake', () => {
  it('is tried again at once after a wait or two in vain', () => {
    const patience = new Patience()
    patience.note(false)
    patience.note(false)
    expect(passed(patience)).toBe(0)
  })

  it('lets pass the next occasion, then two, four, and so on, after more of them', () => {
    const patience = new Patience()
    const found = Array.from({ length: 9 }, () => {
      patience.note(false)
      return passed(patience)
    })
    expect(found).toEqual([0, 0, 1, 2, 4, 8, 16, 16, 16])
  })

  it('forgets them by one that pays', () => {
    const patience = new Patience()
    for (let i = 0; i < 9; i++) patience.note(false)
    passed(patience)
    patience.note(true)
    patience.note(false)
    expect(passed(patience)).toBe(0)
  })

  it('knows whether it paid last', () => {
    const patience = new Patience()
    const found = [patience.pays]
    for (const paid of [true, false, true]) {
      patience.note(paid)
      found.push(patience.pays)
    }
    expect(found).toEqual([false, true, false, true])
  })
})
