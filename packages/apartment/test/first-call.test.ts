import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AwaitedCalls, type CalledPeer, HERE } from '../dist/calling.js'
import type { Link } from '../dist/link.js'
import { attachLink, detachLink } from '../dist/pump.js'
import type { SharedLink } from '../dist/shared-link.js'

// Nobody is at rest who has no link.
const other = { incoming: undefined } as SharedLink
beforeAll(() => attachLink(other))
afterAll(() => detachLink(other))

/** The calls of a thread at rest by a link that answers none, and for which of them it has waited in place. */
function calling({ takesCalls = true } = {}) {
  const asked: string[] = []
  const link: Partial<Link> = {
    apart: false,
    waitsInPlace: () => asked.push('whether') > 0,
    waitInPlace: () => asked.push('the answer') < 0,
    whenTaken: (callback) => callback(),
    hold() {},
    send() {},
  }
  const peer: Partial<CalledPeer> = {
    link: link as Link,
    takesCalls,
    name: 'nobody',
    carry() {},
    idle() {},
    disconnected: (label) => new Error(label),
  }
  const calls = new AwaitedCalls(peer as CalledPeer)
  const call = (settings = {}) =>
    void calls.call({ id: 1, name: 'Nobody' }, 'call', 'hear', [], HERE, settings, undefined).catch(() => {})
  return { asked, calls, call }
}

describe('a call of a thread at rest', () => {
  it('waits for its answer in place', () => {
    const { asked, calls, call } = calling()
    call()
    expect([asked, calls.awaited]).toEqual([['whether', 'the answer'], true])
  })

  it('waits for none where it was refused', () => {
    const { asked, call } = calling({ takesCalls: false })
    call()
    expect(asked).not.toContain('the answer')
  })

  it('waits for none where there will be none', () => {
    const { asked, call } = calling()
    call({ reply: false })
    expect(asked).not.toContain('the answer')
  })

  it('waits for none for which nobody waits', () => {
    const { asked, calls, call } = calling()
    call({ patient: true })
    expect([asked, calls.size, calls.awaited]).toEqual([[], 1, false])
    calls.end()
    expect([calls.size, calls.awaited]).toEqual([0, false])
  })
})
