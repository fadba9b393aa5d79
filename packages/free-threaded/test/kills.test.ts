import { AbandonedError } from '@flatshare/core'
import { nonBlocking } from '@flatshare/free-threaded'
import { expect, test } from 'vitest'
import { Account } from './classes.js'
import { startThread } from './thread.js'

// Threads die wherever they happen to be: in a method, in a lock, waiting. Whoever is left goes on.
test('S13 threads killed at any moment leave an object that works', { timeout: 60_000 }, async () => {
  const account = new Account()
  for (let round = 0; round < 6; round++) {
    const threads = [1, 2].map(() => startThread())
    await Promise.all(threads.map((thread) => thread.run('deposit', account, 1)))
    for (const thread of threads) thread.order('mixed', account, 1_000_000)
    const survivor = (async () => {
      let abandoned = 0
      for (let i = 0; i < 200; i++) {
        try {
          if (i % 2 === 0) account.deposit(1)
          else await nonBlocking(account).deposit(1)
        } catch (error) {
          expect(error).toBeInstanceOf(AbandonedError)
          abandoned++
        }
      }
      return abandoned
    })()
    for (const thread of threads) await thread.worker.terminate()
    expect(await survivor).toBeLessThanOrEqual(2)
    const before = account.balance
    try {
      account.deposit(1)
    } catch (error) {
      expect(error).toBeInstanceOf(AbandonedError)
    }
    expect(account.deposit(1)).toBeGreaterThan(before)
  }
})
