// A thread that may not block, as a page's main thread.
import { parentPort } from 'node:worker_threads'

Atomics.wait = () => {
  throw new TypeError('Atomics.wait cannot be called in this context')
}

const { unmarshal } = await import('@flatshare/core')
const { nonBlocking } = await import('@flatshare/free-threaded')
const { Account } = await import('../classes.js')
type Account = InstanceType<typeof Account>

const jobs = {
  deposit: (account: Account) => account.deposit(1),
  refused(account: Account) {
    try {
      return account.deposit(1)
    } catch (error) {
      return String(error)
    }
  },
  nonBlocking: (account: Account) => nonBlocking(account).deposit(1),
}

parentPort!.on('message', async ({ job, packet }: { job: keyof typeof jobs; packet: unknown }) => {
  parentPort!.postMessage({ result: await jobs[job](unmarshal<Account>(packet)) })
})
