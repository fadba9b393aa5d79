import { createHook } from 'node:async_hooks'
import { flushLinks, forgetUnsent, noteUnsent, type Unsent } from '@flatshare/apartment/internal'
import { expect, test } from 'vitest'

/** A way on which something waits whenever `send` was called. */
function way(): Unsent & { send(): void; readonly sent: number } {
  let sent = 0
  const made = {
    flush() {
      forgetUnsent(made)
      sent++
    },
    send: () => noteUnsent(made),
    get sent() {
      return sent
    },
  }
  return made
}

test('what waits is sent in a microtask, or before', async () => {
  const [one, other] = [way(), way()]
  one.send()
  other.send()
  expect([one.sent, other.sent]).toEqual([0, 0])
  await Promise.resolve()
  expect([one.sent, other.sent]).toEqual([1, 1])
  one.send()
  flushLinks()
  expect([one.sent, other.sent]).toEqual([2, 1])
  // In the same turn, behind what was sent early.
  one.send()
  await Promise.resolve()
  expect([one.sent, other.sent]).toEqual([3, 1])
})

test('code that sends again and again without an end of its turn leaves one microtask', async () => {
  const link = way()
  const microtasks = microtasksOf(() => {
    for (let i = 0; i < 1000; i++) {
      link.send()
      flushLinks()
    }
  })
  expect(microtasks).toBe(1)
  expect(link.sent).toBe(1000)
  await Promise.resolve()
  expect(link.sent).toBe(1000)
})

/** How many microtasks `run` asks for: of each Node tells, be it a promise's or another. */
function microtasksOf(run: () => void): number {
  let asked = 0
  const hook = createHook({ init: () => void asked++ }).enable()
  run()
  hook.disable()
  return asked
}
